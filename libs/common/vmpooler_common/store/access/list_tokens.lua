-- list_tokens: list a user's tokens, the oldest first. Writes nothing.
-- ARGS user, spelling
-- REPLY outcome, tokens
--
-- Each token has beginning (its first characters), created and last (use, or '').
-- The outcome is ok, or throttled when a login of this user has failed within a second.

if redis.call('EXISTS', K.failed .. ARG.spelling) == 1 then return cjson.encode({ outcome = 'throttled' }) end
local found = {}
for _, token in ipairs(redis.call('ZRANGE', K.tokens .. ARG.user, 0, -1)) do
  local known = redis.call('HMGET', K.token .. token, 'beginning', 'created', 'last')
  if known[2] then
    table.insert(found, { beginning = known[1] or '', created = known[2], last = known[3] or '' })
  end
end
return cjson.encode({ outcome = 'ok', tokens = found })
