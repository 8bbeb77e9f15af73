-- needs queue
-- renew_tickets: keep places in line for another while; those that have lapsed stay lapsed.
-- ARGS pools, operations

for _, pool in ipairs(ARG.pools) do redis.call('PEXPIRE', K.queue .. pool, LINE_KEPT) end
for _, operation in ipairs(ARG.operations) do redis.call('PEXPIRE', K.ticket .. operation, PLACE_KEPT) end
return 'ok'
