-- list_tokens: list a user's tokens, the oldest first. Writes nothing.
-- ARGS user, attempt
-- REPLY outcome, tokens
--
-- Each token has beginning (its first characters), created and last (use, or '').
-- `attempt` is the digest of name and address of the login. The outcome is ok, or throttled when such an
-- attempt has failed within a second.

if redis.call('EXISTS', K.failed .. ARG.attempt) == 1 then return cjson.encode({ outcome = 'throttled' }) end
local found = {}
for _, token in ipairs(redis.call('ZRANGE', K.tokens .. ARG.user, 0, -1)) do
  local known = redis.call('HMGET', K.token .. token, 'beginning', 'created', 'last')
  if known[2] then
    table.insert(found, { beginning = known[1] or '', created = known[2], last = known[3] or '' })
  end
end
return cjson.encode({ outcome = 'ok', tokens = found })
