-- needs queue
-- renew_tickets: keep tickets for another while; those that have lapsed stay lapsed.
-- ARGS pools, operations

for _, pool in ipairs(ARG.pools) do redis.call('PEXPIRE', K.queue .. pool, QUEUE_KEPT) end
for _, operation in ipairs(ARG.operations) do redis.call('PEXPIRE', K.ticket .. operation, TICKET_KEPT) end
return 'ok'
