-- needs tokens
-- list_tokens: list a user's tokens, the oldest first. Writes nothing.
-- ARGS owner, user, attempt, is_admin
-- REPLY outcome, tokens
--
-- Each token has beginning (its first characters), created and last (use, or '').
-- `user` is who asks, `attempt` the digest of name and address of the login. The outcome is ok; throttled
-- when such an attempt has failed within a second; or foreign when the tokens of `owner` aren't the caller's.

local refusal = login_refusal(ARG.user, ARG.attempt, ARG.owner, ARG.is_admin)
if refusal then return cjson.encode({ outcome = refusal }) end
local found = {}
for _, token in ipairs(redis.call('ZRANGE', K.tokens .. ARG.owner, 0, -1)) do
  local known = redis.call('HMGET', K.token .. token, 'beginning', 'created', 'last')
  if known[2] then
    table.insert(found, { beginning = known[1] or '', created = known[2], last = known[3] or '' })
  end
end
return cjson.encode({ outcome = 'ok', tokens = found })
