-- needs queue
-- renew_tickets: keep places in line for another while; those that have lapsed stay lapsed.
-- ARGV number of pools, pool..., then places...

local pools = tonumber(ARGV[1])
for at = 2, 1 + pools do redis.call('PEXPIRE', K.queue .. ARGV[at], LINE_KEPT) end
for at = 2 + pools, #ARGV do redis.call('PEXPIRE', K.ticket .. ARGV[at], PLACE_KEPT) end
return 'ok'
