// The same work in fastify: a signed cookie, a session in Valkey under AES-256-GCM whose idle time starts anew with
// every use, rate limits in Valkey, calls of the vendor over undici, the answer in our shapes by a compiled schema, one
// JSON log line a request. POST /seed stores its body as a session, in place of signing in.
import crypto from 'node:crypto'
import cookie from '@fastify/cookie'
import helmet from '@fastify/helmet'
import session from '@fastify/session'
import Fastify from 'fastify'
import { Redis } from 'ioredis'
import { Pool } from 'undici'

const { PORT, REDIS_URL, SECRET, STORE, VENDOR_URL } = process.env
const IDLE_SECONDS = 604800
const KEPT_MS = 60000
const READS_PER_MINUTE = 600
const ALL_PER_MINUTE = 1e7
const OKENDO = { accept: 'application/json', 'okendo-api-version': '2025-02-01', 'okendo-partner-id': 'sandbox-partner' }

const valkey = new Redis(REDIS_URL, { enableAutoPipelining: true, commandTimeout: 250 })
const vendor = new Pool(VENDOR_URL, { connections: 100, pipelining: 1 })
const key = Buffer.from(crypto.hkdfSync('sha256', SECRET, '', 'session', 32))

function sealed (text, place) {
  const nonce = crypto.randomBytes(12)
  const cipher = crypto.createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(place))
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), body])
}

function opened (bytes, place) {
  const cipher = crypto.createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12))
  cipher.setAAD(Buffer.from(place)).setAuthTag(bytes.subarray(12, 28))
  return Buffer.concat([cipher.update(bytes.subarray(28)), cipher.final()]).toString('utf8')
}

const placeOf = id => 'fastify:' + crypto.createHash('sha256').update(id).digest('hex')

const store = {
  get (id, done) {
    const place = placeOf(id)
    valkey.getexBuffer(place, 'EX', IDLE_SECONDS)
      .then(bytes => done(null, bytes && JSON.parse(opened(bytes, place))), done)
  },
  set (id, value, done) {
    const place = placeOf(id)
    valkey.set(place, sealed(JSON.stringify(value), place), 'EX', IDLE_SECONDS).then(() => done(null), done)
  },
  destroy (id, done) { valkey.del(placeOf(id)).then(() => done(null), done) }
}

const failure = (statusCode, code) => Object.assign(new Error(code), { statusCode, code })

async function hit (member) {
  const minute = Math.floor(Date.now() / 60000)
  const [own, all] = [`fastify-limit:${member}:${minute}`, `fastify-limit:all:${minute}`]
  const [[, mine], , [, everybody]] =
    await valkey.pipeline().incr(own).expire(own, 60).incr(all).expire(all, 60).exec()
  if (mine > READS_PER_MINUTE || everybody > ALL_PER_MINUTE) throw failure(429, 'rate_limited')
}

async function signedIn (request) {
  if (!request.session?.customerId) throw failure(401, 'session_required')
  await hit(request.session.customerId)
}

async function okendo (request, path) {
  const reply = await vendor.request({
    path,
    method: 'GET',
    headers: { ...OKENDO, authorization: `Bearer ${request.session.jwt}` },
    headersTimeout: 5000,
    bodyTimeout: 5000
  })
  const body = await reply.body.json()
  if (reply.statusCode !== 200) throw failure(503, 'upstream_unavailable')
  return body
}

const money = amount => amount === undefined ? undefined : { amount: amount.toFixed(2), currencyCode: 'USD' }

const valueOf = (type, value) =>
  type === 'percentage-coupon' ? { kind: 'percentage', percentage: value } : { kind: 'amount', amount: money(value) }

const rewardOf = (rule, canRedeem) => ({
  id: rule.redemptionRuleId,
  name: rule.title,
  kind: rule.type,
  points: rule.reward.points,
  value: valueOf(rule.type, rule.reward.value),
  minimumSpend: money(rule.minimumPurchase),
  expiresAfterDays: rule.expiresAfterDays,
  canRedeem
})

function judged (rule, customer, ladder) {
  const needed = rule.minimumVipTierName
  const missing = rule.reward.points - customer.points.balance
  if (needed && ladder.indexOf(customer.vipTierName) < ladder.indexOf(needed)) {
    return { state: 'tier_required', requiredTier: needed }
  }
  return missing > 0 ? { state: 'insufficient_points', missingPoints: missing } : { state: 'ready' }
}

let kept

async function program () {
  if (kept && Date.now() < kept.until) return kept
  const read = async name => {
    const path = `/v1/stores/${STORE}/loyalty/${name}`
    return (await vendor.request({ path, method: 'GET', headers: OKENDO })).body.json()
  }
  const [earning, rewards, vip] = await Promise.all(['earning_rules', 'redemption_rules', 'vip_program'].map(read))
  const tiers = vip.vipProgram.tiers
  const body = JSON.stringify({
    earningRules: earning.rules.map(rule =>
      ({ id: rule.earningRuleId, name: rule.title, kind: rule.action, points: rule.amount, url: rule.url })),
    rewards: rewards.rules.map(rule => rewardOf(rule)),
    tiers: tiers.map(tier => ({ name: tier.name, spend: tier.spendRequirement, perks: tier.perks }))
  })
  const etag = `"${crypto.createHash('sha256').update(body).digest('hex').slice(0, 32)}"`
  kept = { body, etag, ladder: tiers.map(tier => tier.name), until: Date.now() + KEPT_MS }
  return kept
}

const string = { type: 'string' }
const integer = { type: 'integer' }
const object = properties => ({ type: 'object', properties })
const Money = object({ amount: string, currencyCode: string })
const Member = object({
  state: string,
  points: object({ balance: integer, pending: integer }),
  tier: string,
  name: string,
  birthday: object({ day: integer, month: integer })
})
const Reward = object({
  id: string,
  name: string,
  kind: string,
  points: integer,
  value: object({ kind: string, amount: Money, percentage: integer }),
  minimumSpend: Money,
  expiresAfterDays: integer,
  canRedeem: object({ state: string, missingPoints: integer, requiredTier: string })
})
const answers = schema => ({ schema: { response: { 200: schema } } })

const app = Fastify({
  logger: true,
  disableRequestLogging: true,
  genReqId: () => crypto.randomBytes(16).toString('hex')
})
await app.register(helmet)
await app.register(cookie)

app.addHook('onSend', async (request, reply) => {
  reply.header('x-request-id', request.id)
  if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'private, no-store')
})
app.addHook('onResponse', async (request, reply) => {
  const line = { method: request.method, route: request.routeOptions.url, status: reply.statusCode }
  request.log.info({ ...line, ms: reply.elapsedTime }, 'request')
})
app.setErrorHandler((error, request, reply) => {
  reply.code(error.statusCode ?? 500).send({ code: error.code ?? 'internal_error' })
})

app.get('/healthz', async () => 'ok')
app.get('/api/v1/program', async (request, reply) => {
  const { body, etag } = await program()
  reply.header('etag', etag).header('cache-control', 'public, max-age=60')
  if (request.headers['if-none-match'] === etag) return reply.code(304).send()
  return reply.type('application/json; charset=utf-8').send(body)
})

await app.register(async app => {
  const options = { secure: false, httpOnly: true, sameSite: 'lax', maxAge: IDLE_SECONDS * 1000 }
  const lived = { rolling: false, saveUninitialized: false, cookieName: 'fastify', cookie: options }
  await app.register(session, { store, secret: SECRET, ...lived })
  app.post('/seed', async (request, reply) => {
    Object.assign(request.session, request.body)
    return reply.code(201).send({ state: 'enrolled' })
  })
  app.get('/api/v1/session', async request => ({ state: request.session.state ?? 'none' }))
  app.get('/api/v1/me', { ...answers(Member), preHandler: signedIn }, async request => {
    const { loyaltyCustomer: found } = await okendo(request, '/v1/loyalty/customer')
    const { status, points, vipTierName, birthday } = found
    return { state: status, points, tier: vipTierName, name: request.session.name, birthday }
  })
  const List = object({ rewards: { type: 'array', items: Reward } })
  app.get('/api/v1/me/rewards', { ...answers(List), preHandler: signedIn }, async request => {
    const [{ loyaltyCustomer: customer }, { rules }, { ladder }] = await Promise.all([
      okendo(request, '/v1/loyalty/customer'), okendo(request, '/v1/loyalty/redemption_rules'), program()
    ])
    return { rewards: rules.map(rule => rewardOf(rule, judged(rule, customer, ladder))) }
  })
})

await app.listen({ port: Number(PORT), host: '127.0.0.1', backlog: 1024 })
