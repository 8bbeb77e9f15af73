-- list_tokens: list a user's tokens, the oldest first. Writes nothing.
-- ARGV user, digest of the user's name
-- Returns {'ok', per token: its first characters, when it was made, when it was last used or ''}: flat,
--         or {'throttled'} when a login of this user has failed within a second.

if redis.call('EXISTS', K.failed .. ARGV[2]) == 1 then return { 'throttled' } end
local found = { 'ok' }
for _, token in ipairs(redis.call('ZRANGE', K.tokens .. ARGV[1], 0, -1)) do
  local known = redis.call('HMGET', K.token .. token, 'beginning', 'created', 'last')
  if known[2] then
    for _, value in ipairs({ known[1] or '', known[2], known[3] or '' }) do table.insert(found, value) end
  end
end
return found
