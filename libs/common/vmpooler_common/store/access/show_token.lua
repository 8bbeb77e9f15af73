-- show_token: tell what is known of a token, and which running VMs were taken with it. Writes nothing.
-- ARGV token digest
-- Returns {user, created, last or '', {vm...}}, or {} when the token isn't known.

local known = redis.call('HMGET', K.token .. ARGV[1], 'user', 'created', 'last')
if not known[1] then return {} end
return { known[1], known[2] or '', known[3] or '', redis.call('ZRANGE', K.token_vms .. ARGV[1], 0, -1) }
