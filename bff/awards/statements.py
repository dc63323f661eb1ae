"""Every statement on the table of awards, and with them the transitions of its state machine.

waiting ──┬── sent ──┬── paid
          │          ├── waiting        surely not paid: Okendo refused it for now, or was not reached
          │          ├── needs_review   surely not paid: Okendo refused it for good, or it was tried for long enough
          │          └── unknown        the reply was lost
          └── needs_review              there is nobody to pay, or it was tried for long enough

unknown ──┬── paid                      the balance moved by what the rule pays
          ├── waiting                   the balance did not move
          └── needs_review              the balance does not tell, or cannot be read: `possibly_paid`

waiting, needs_review ── paid           Okendo's yes came late, after its reply had been taken for lost

needs_review ──┬── waiting              a person has it tried again, a `possibly_paid` one only after a look
               └── paid                 a person saw in Okendo's admin that a `possibly_paid` one was paid

all but paid ── needs_review            DOUBT: the database is older than what happened, so it is `possibly_paid`
paid ── waiting                         a person corrects it: a person had said by mistake that it was paid
waiting, needs_review ── paid           a person corrects it: a person had said by mistake that it was not

A `sent` award whose worker died is treated like an `unknown` one.
"""

INSERT_AWARD = """
    INSERT INTO awards
        (reference, event, action, earning_rule_id, customer_id, payee, email, retailer_id, connection_id, purchase_id,
         value, try_until)
    VALUES (%(reference)s, %(event)s, %(action)s, %(earning_rule_id)s, %(customer_id)s, %(payee)s, %(email)s,
        %(retailer_id)s, %(connection_id)s, %(purchase_id)s, %(value)s,
        now() + make_interval(secs => %(retry_seconds)s))
    ON CONFLICT DO NOTHING
    RETURNING id
"""
FIND = """
    SELECT award.*, now() >= award.try_until AS overdue,
        extract(epoch FROM now() - award.sent_at)::float8 AS seconds_since_sent,
        last.balance AS recent_balance, largest.points AS like_points, largest.value AS like_value
    FROM awards AS award
    LEFT JOIN LATERAL (
        SELECT CASE WHEN state = 'paid' AND changed_at > now() - make_interval(secs => %(balance_seconds)s)
               THEN balance_before + points END AS balance
        FROM awards WHERE payee = award.payee AND id <> award.id AND state <> 'waiting'
        ORDER BY changed_at DESC LIMIT 1) AS last ON true
    LEFT JOIN LATERAL (
        SELECT points, value FROM awards
        WHERE earning_rule_id = award.earning_rule_id AND event = award.event AND state = 'paid' AND points IS NOT NULL
        ORDER BY value DESC NULLS LAST, id DESC LIMIT 1) AS largest ON true
    WHERE award.id = %(id)s
"""
SET_EMAIL = "UPDATE awards SET email = %(email)s WHERE id = %(id)s AND state = 'waiting'"
MARK_SENT = """
    UPDATE awards
    SET state = 'sent', sent_at = now(), changed_at = now(), tries = tries + 1, balance_before = %(balance)s
    WHERE id = %(id)s AND state = 'waiting'
"""
# The address is needed for paying alone, so it goes. Okendo's own yes counts however late it comes, and whatever was
# concluded without it; what was concluded from the balance, which then has a reason, is no more than that.
MARK_PAID = """
    UPDATE awards
    SET state = 'paid', points = %(points)s, email = NULL, reason = %(reason)s, possibly_paid = false,
        changed_at = now()
    WHERE id = %(id)s
        AND (state IN ('sent', 'unknown')
             OR %(reason)s::text IS NULL AND state IN ('waiting', 'needs_review') AND sent_at IS NOT NULL)
"""
# A worker that comes back late, after another has tried again, changes nothing.
MARK_UNPAID = """
    UPDATE awards
    SET state = %(state)s, reason = %(reason)s, possibly_paid = %(possibly_paid)s, changed_at = now(),
        tries = tries + CASE state WHEN 'sent' THEN 0 ELSE 1 END
    WHERE id = %(id)s AND state IN ('waiting', 'sent', 'unknown') AND tries <= %(tries)s + 1
"""
LISTED = """
    SELECT * FROM awards
    WHERE (state = %(state)s OR %(state)s = 'all' OR (%(state)s::text IS NULL AND state <> 'paid'))
        AND (%(customer)s::text IS NULL OR customer_id = %(customer)s)
    ORDER BY id DESC LIMIT %(limit)s
"""
# `corrects` takes back that a person said of it that it was paid: nothing has changed it since that line of the trail,
# which was written in the same transaction and so has the same time.
REPLAY = """
    WITH before AS (
        SELECT id, state, reason FROM awards
        WHERE CASE WHEN %(corrects)s
              THEN state = 'paid' AND EXISTS (
                  SELECT FROM audit WHERE target = awards.reference AND action = 'awards resolve' AND at = changed_at)
              ELSE state = 'needs_review' AND possibly_paid = %(possibly_paid)s END
            AND (%(reference)s::text IS NULL OR reference = %(reference)s)
        FOR UPDATE)
    UPDATE awards
    SET state = 'waiting', reason = NULL, possibly_paid = false, tries = 0, changed_at = now(),
        note = coalesce(%(note)s, note), try_until = now() + make_interval(secs => %(retry_seconds)s)
    FROM before WHERE awards.id = before.id
    RETURNING awards.id, payee, reference, before.state, before.reason
"""
# `corrects` takes back that a person said of it that it was not paid, as long as it has not been paid since.
RESOLVE_PAID = """
    WITH before AS (
        SELECT id, state, reason FROM awards
        WHERE reference = %(reference)s
            AND CASE WHEN %(corrects)s
                THEN state IN ('waiting', 'needs_review') AND NOT possibly_paid AND note IS NOT NULL
                ELSE state = 'needs_review' AND possibly_paid END
        FOR UPDATE)
    UPDATE awards SET state = 'paid', possibly_paid = false, email = NULL, note = %(note)s, changed_at = now()
    FROM before WHERE awards.id = before.id
    RETURNING reference, before.state, before.reason
"""
OF_REFERENCE = "SELECT * FROM awards WHERE reference = %(reference)s"
DOUBT = """
    UPDATE awards SET state = 'needs_review', possibly_paid = true, reason = %(reason)s, changed_at = now()
    WHERE state <> 'paid'
"""
DELETE_UNPAID = """
    DELETE FROM awards
    WHERE (customer_id = %(name)s OR lower(email) = lower(%(name)s) AND state <> 'paid')
        AND state IN ('waiting', 'needs_review') AND NOT possibly_paid
"""
# Who linked a shop without a customer's id is known by their email, which only an award that is not paid has.
FORGET = """
    UPDATE awards SET email = NULL, connection_id = ''
    WHERE customer_id = %(name)s OR lower(email) = lower(%(name)s) AND state <> 'paid'
"""
