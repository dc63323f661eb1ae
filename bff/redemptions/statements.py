"""Every statement on the table of redemptions, and with them the transitions of its state machine. What is settled for
long enough is deleted by `stores.retention`.

INSERT_INTENT ── reserved ──┬── sent             MARK_SENT
                            └── failed           SETTLE_STALE: its process died before it was sent

reserved ── unknown                              DOUBT: the database is of before, so it may have been sent since

sent ──┬── succeeded | failed                    SETTLE: the vendor's reply is clear
       ├── unknown                               DOUBT: the same
       └── unknown                               SETTLE: the reply was lost. SETTLE_STALE: its process died

unknown ──┬── succeeded | failed                 SETTLE: the worker reconciled it, or the reply came late
          ├── succeeded | failed                 RESOLVE: a person looked; only a person changes it again
          └── unknown                            reconciled while `check_until` is set: EXPIRE and FORGET clear it,
                                                 ATTACH_CREDENTIALS and a late SETTLE set it again

failed ──┬── succeeded                           SETTLE: it was sent, no person resolved it, and now the vendor says yes
         └── deleted                             DELETE_UNSENT: it was never sent, and the member is forgotten

succeeded | failed ── succeeded | failed         RESOLVE: a person corrects what a person had resolved

Otherwise a succeeded redemption never changes its state. Only reserved and sent ones count as open, of which a member
has one.
"""

from bff.stores.queue import deferring

INSERT_INTENT = """
    INSERT INTO redemptions
        (customer_id, key, fingerprint, reward_id, reward_name, points, balance_seen, newest_transaction, session,
         credentials, request_id, support_reference)
    VALUES (%(customer_id)s, %(key)s, %(fingerprint)s, %(reward_id)s, %(reward_name)s, %(points)s, %(balance_seen)s,
        %(newest_transaction)s, %(session)s, %(credentials)s, %(request_id)s, %(support_reference)s)
    ON CONFLICT DO NOTHING
"""
# A vendor call takes less than this, so the process of a redemption that is open for longer must have died.
STALE_SECONDS = 60
# If the process of a new entry dies, this job settles it. Only a new one has the reference that was made for it.
DEFER_RESCUE = f"""
    SELECT {deferring("rescue_redemption", seconds=STALE_SECONDS + 1)} FROM redemptions
    WHERE support_reference = %(support_reference)s AND customer_id = %(customer_id)s
"""  # noqa: S608  # See `deferring`.
# Credentials stay while the outcome is unknown; a clear outcome deletes them. A success that the vendor itself reports
# overrides a failure that was concluded without its reply, unless a person resolved it.
SETTLE = """
    UPDATE redemptions
    SET state = %(state)s, transaction_id = %(transaction_id)s, coupon_code = %(coupon_code)s,
        coupon_description = %(coupon_description)s, coupon_expires_at = %(coupon_expires_at)s,
        store_credit = %(store_credit)s, currency = %(currency)s, reason = %(reason)s, changed_at = now(),
        check_until = CASE %(state)s WHEN 'unknown' THEN now() + make_interval(secs => %(check_seconds)s) END,
        credentials = CASE %(state)s WHEN 'unknown' THEN credentials END
    WHERE id = %(id)s
        AND (state IN ('sent', 'unknown')
             OR state = 'failed' AND %(state)s = 'succeeded' AND sent_at IS NOT NULL AND note IS NULL)
    RETURNING *
"""
# A reserved entry was never sent, so it has failed; a sent one may have been carried out, so it is unknown, and is
# reconciled.
SETTLE_STALE = f"""
    WITH stale AS (
    UPDATE redemptions
    SET state = CASE state WHEN 'reserved' THEN 'failed' ELSE 'unknown' END,
        reason = CASE state WHEN 'reserved' THEN 'store_unavailable' END,
        check_until = CASE state WHEN 'sent' THEN now() + make_interval(secs => %(check_seconds)s) END,
        credentials = CASE state WHEN 'sent' THEN credentials END,
        changed_at = now()
    WHERE (customer_id = %(customer_id)s OR id = %(id)s) AND state IN ('reserved', 'sent')
        AND changed_at < now() - make_interval(secs => %(stale_seconds)s)
    RETURNING id, state
    )
    SELECT {deferring("check_redemption")} FROM stale WHERE state = 'unknown'
"""  # noqa: S608  # See `deferring`.
RECENT = """
    SELECT key, coalesce(check_until > now(), false) AS checking FROM redemptions
    WHERE customer_id = %(customer_id)s AND reward_id = %(reward_id)s AND state <> 'failed'
        AND (check_until > now() OR created_at > greatest(now() - interval '5 minutes', to_timestamp(%(since)s)))
    ORDER BY id DESC LIMIT 1
"""
LISTED = """
    SELECT * FROM redemptions
    WHERE (%(state)s::text IS NULL OR state = %(state)s) AND (%(customer)s::text IS NULL OR customer_id = %(customer)s)
    ORDER BY id DESC LIMIT %(limit)s
"""
OF_MEMBER = """
    SELECT * FROM redemptions
    WHERE customer_id = %(customer_id)s
        AND created_at > to_timestamp(%(since)s) AND created_at <= to_timestamp(%(until)s)
    ORDER BY id DESC LIMIT %(limit)s
"""
UNRESOLVED = """
    SELECT line.*, extract(epoch FROM now() - coalesce(sent_at, created_at))::float8 AS seconds_since_sent,
        now() >= check_until AS overdue,
        array_remove(ARRAY(SELECT unnest(ARRAY[transaction_id, coupon_code]) FROM redemptions AS other
                           WHERE other.customer_id = line.customer_id AND other.id <> line.id
                           ORDER BY 1), NULL) AS claimed,
        (SELECT newest_transaction FROM redemptions AS later
         WHERE later.customer_id = line.customer_id AND later.id > line.id AND later.sent_at IS NOT NULL
         ORDER BY later.id LIMIT 1) AS next_newest,
        EXISTS (SELECT FROM redemptions AS later
                WHERE later.customer_id = line.customer_id AND later.id > line.id
                    AND (later.state IN ('reserved', 'sent') OR later.check_until IS NOT NULL)) AS later_open,
        ARRAY(SELECT coupon_code FROM redemptions AS later
              WHERE later.customer_id = line.customer_id AND later.id > line.id
                    AND later.state = 'succeeded' AND later.transaction_id IS NULL
              ORDER BY 1) AS later_codes
    FROM redemptions AS line
    WHERE id = %s AND state = 'unknown' AND check_until IS NOT NULL
"""
# After a restore from a backup the member's history tells what became of them. Others go on being reconciled.
DOUBT = """
    UPDATE redemptions
    SET state = 'unknown', sent_at = coalesce(sent_at, created_at), changed_at = now(),
        check_until = now() + make_interval(secs => %(check_seconds)s)
    WHERE state IN ('reserved', 'sent') OR state = 'unknown' AND check_until IS NOT NULL
    RETURNING id
"""
EARLIER = "SELECT id FROM redemptions WHERE customer_id = %s AND id < %s AND check_until IS NOT NULL"
EXPIRE = """
    UPDATE redemptions SET check_until = NULL, credentials = NULL, changed_at = now()
    WHERE id = %(id)s AND state = 'unknown' AND check_until = %(check_until)s
        AND credentials IS NOT DISTINCT FROM %(credentials)s
"""
# The checks run from the sign-in on, so that visiting the page again and again does not prolong them. An entry without
# a session belongs to a member who was forgotten, and is reconciled no more.
ATTACH_CREDENTIALS = """
    UPDATE redemptions
    SET session = %(session)s, credentials = %(credentials)s,
        check_until = greatest(check_until, to_timestamp(%(signed_in_at)s) + make_interval(secs => %(check_seconds)s))
    WHERE id = %(id)s AND state = 'unknown' AND session <> '' AND credentials IS NOT DISTINCT FROM %(before)s
    RETURNING *
"""
# What is resolved for the first time is unknown. What is corrected has a note, which only RESOLVE writes.
FIND_TO_RESOLVE = """
    SELECT * FROM redemptions
    WHERE support_reference = %(reference)s
        AND CASE WHEN %(corrects)s THEN state IN ('succeeded', 'failed') AND note IS NOT NULL ELSE state = 'unknown' END
    FOR UPDATE
"""
RESOLVE = """
    UPDATE redemptions
    SET state = %(state)s, coupon_code = %(code)s, note = %(note)s, changed_at = now(), check_until = NULL,
        credentials = NULL, reason = CASE %(state)s WHEN 'failed' THEN 'upstream_unavailable' END
    WHERE id = %(id)s
    RETURNING *
"""

FIND = "SELECT * FROM redemptions WHERE customer_id = %(customer_id)s AND key = %(key)s"
FIND_OPEN = "SELECT * FROM redemptions WHERE id = %s AND state IN ('reserved', 'sent')"
FIND_OPEN_OF_MEMBER = "SELECT * FROM redemptions WHERE customer_id = %s AND state IN ('reserved', 'sent')"
FIND_UNSETTLED = """
    SELECT key, true AS checking FROM redemptions WHERE customer_id = %(customer_id)s AND check_until > now()
    ORDER BY id DESC LIMIT 1
"""
MARK_SENT = """
    UPDATE redemptions SET state = 'sent', sent_at = now(), changed_at = now() WHERE id = %(id)s AND state = 'reserved'
    RETURNING *
"""
DELETE_UNSENT = "DELETE FROM redemptions WHERE customer_id = %s AND sent_at IS NULL AND state = 'failed'"
FORGET = """
    UPDATE redemptions
    SET coupon_code = NULL, coupon_description = NULL, credentials = NULL, check_until = NULL, session = ''
    WHERE customer_id = %s
"""
# Held until the commit, so that one transaction at a time writes the outcomes of a member's redemptions.
LOCK_MEMBER = "SELECT pg_advisory_xact_lock(hashtextextended(%(customer_id)s, 0))"
