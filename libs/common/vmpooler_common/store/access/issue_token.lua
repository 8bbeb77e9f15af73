-- issue_token: make a token known as a user's, whose password was found right.
-- ARGS token, user, attempt, beginning, life, most
--
-- `attempt` is the digest of name and address of the login, `beginning` the token's first characters, `life`
-- in ms or 0 for no end, `most` how many tokens a user may have.
-- Returns 'ok', 'throttled' when such an attempt has failed within a second,
--         'full' when the user has too many tokens.

local token, user, life = ARG.token, ARG.user, tonumber(ARG.life)
if redis.call('EXISTS', K.token .. token) == 1 then return 'ok' end -- the same call again
if redis.call('EXISTS', K.failed .. ARG.attempt) == 1 then return 'throttled' end
local expired, kept = {}, 0
for _, other in ipairs(redis.call('ZRANGE', K.tokens .. user, 0, -1)) do
  if redis.call('EXISTS', K.token .. other) == 1 then
    kept = kept + 1
  else
    table.insert(expired, other)
  end
end
if kept >= tonumber(ARG.most) then return 'full' end

local now = int(now_ms())
for _, other in ipairs(expired) do redis.call('ZREM', K.tokens .. user, other) end
redis.call('HSET', K.token .. token, 'user', user, 'created', now, 'beginning', ARG.beginning)
if life > 0 then redis.call('PEXPIRE', K.token .. token, int(life)) end
redis.call('ZADD', K.tokens .. user, now, token)
-- The list lapses with the last of its tokens.
local left = redis.call('PTTL', K.tokens .. user)
if life == 0 then
  redis.call('PERSIST', K.tokens .. user)
elseif kept == 0 or (left > 0 and left < life) then
  redis.call('PEXPIRE', K.tokens .. user, int(life))
end
return 'ok'
