-- needs tokens
-- show_token: tell what is known of a token, and which running VMs were taken with it. Writes nothing.
-- ARGS token
-- REPLY user, created, last, vms
--
-- `user` is '' when the token isn't known; `vms` are the running ones.

local known = redis.call('HMGET', K.token .. ARG.token, 'user', 'created', 'last')
if not known[1] then return cjson.encode({ user = '' }) end
return cjson.encode({
  user = known[1], created = known[2] or '', last = known[3] or '',
  vms = vms_taken_with(ARG.token, known[1]),
})
