"""What Valkey does with a session in one step, as Lua: no other command comes in between.

Each touches one key, so they also work in a cluster. Times come from the service's clock, not the store's.
"""

from bff.stores.scripts import Script

BEGIN = """
redis.call('HSET', KEYS[1], 'record', ARGV[1], 'version', 1, 'seen', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
"""
LOAD = Script("""
local fields = redis.call('HMGET', KEYS[1], 'record', 'version', 'seen', 'stale', 'written')
if not fields[1] then return nil end
local seen = tonumber(fields[3])
if not seen or tonumber(ARGV[1]) - seen > tonumber(ARGV[2]) then redis.call('DEL', KEYS[1]) return nil end
redis.call('HSET', KEYS[1], 'seen', ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
if ARGV[3] == '1' then redis.call('HSET', KEYS[1], 'written', ARGV[1]) end
return {fields[1], fields[2], fields[4], fields[5]}
""")
SAVE = """
if redis.call('HGET', KEYS[1], 'version') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'record', ARGV[2], 'version', ARGV[1] + 1)
return 1
"""
# What is noted for an ended session goes with its tombstone.
END = """
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'version', 'ended')
redis.call('EXPIRE', KEYS[1], ARGV[1])
"""
