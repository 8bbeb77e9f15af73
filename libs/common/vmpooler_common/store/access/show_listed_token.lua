-- needs tokens
-- show_listed_token: tell what is known of a user's token that is named by its beginning. Writes nothing.
-- ARGS token, beginning, owner, user, attempt, is_admin
-- REPLY outcome, user, created, last, vms
--
-- `token` is tried first, as a whole one; `beginning` are the first characters, of a token of `owner`. `user`
-- is who asks, `attempt` the digest of name and address of the login. The outcome is ok; throttled; foreign
-- when the tokens of `owner` aren't for this user; missing; or several when more than one begins so.

local refusal = login_refusal(ARG.user, ARG.attempt, ARG.owner, ARG.is_admin)
if refusal == 'throttled' then return cjson.encode({ outcome = refusal }) end
local token = ARG.token
if redis.call('EXISTS', K.token .. token) == 0 then
  if refusal then return cjson.encode({ outcome = refusal }) end
  local found = tokens_beginning(ARG.beginning, ARG.owner)
  if #found ~= 1 then return cjson.encode({ outcome = #found == 0 and 'missing' or 'several' }) end
  token = found[1]
end
local known = redis.call('HMGET', K.token .. token, 'user', 'created', 'last')
return cjson.encode({
  outcome = 'ok', user = known[1], created = known[2] or '', last = known[3] or '',
  vms = vms_taken_with(token, known[1]),
})
