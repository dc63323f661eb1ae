"""Every statement on the table of awards, and with them the transitions of its state machine.

waiting ──┬── sent ──┬── paid
          │          ├── waiting        surely not paid: Okendo refused it for now, or was not reached
          │          ├── needs_review   surely not paid: Okendo refused it for good, or it was tried for long enough
          │          └── unknown        the reply was lost
          └── needs_review              there is nobody to pay, or it was tried for long enough

unknown ──┬── paid                      the balance moved by what the rule pays
          ├── waiting                   the balance did not move
          └── needs_review              the balance does not tell, or cannot be read: `possibly_paid`

needs_review ──┬── waiting              a person has it tried again, a `possibly_paid` one only after a look
               └── paid                 a person saw in Okendo's admin that a `possibly_paid` one was paid

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
# The address is needed for paying alone, so it goes.
MARK_PAID = """
    UPDATE awards
    SET state = 'paid', points = %(points)s, email = NULL, reason = %(reason)s, possibly_paid = false,
        changed_at = now()
    WHERE id = %(id)s AND state IN ('sent', 'unknown')
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
REPLAY = """
    UPDATE awards
    SET state = 'waiting', reason = NULL, possibly_paid = false, tries = 0, changed_at = now(),
        note = coalesce(%(note)s, note), try_until = now() + make_interval(secs => %(retry_seconds)s)
    WHERE state = 'needs_review' AND possibly_paid = %(possibly_paid)s
        AND (%(reference)s::text IS NULL OR reference = %(reference)s)
    RETURNING id, payee
"""
RESOLVE_PAID = """
    UPDATE awards SET state = 'paid', possibly_paid = false, email = NULL, note = %(note)s, changed_at = now()
    WHERE reference = %(reference)s AND state = 'needs_review' AND possibly_paid
"""
DELETE_UNPAID = """
    DELETE FROM awards WHERE customer_id = %s AND state IN ('waiting', 'needs_review') AND NOT possibly_paid
"""
FORGET = "UPDATE awards SET email = NULL, connection_id = '' WHERE customer_id = %s"
