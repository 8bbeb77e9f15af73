-- admit_rate: count a request against its client's limit, unless the limit is reached.
--
-- A client is the user of its token when that is known, however many tokens the user has, else its address:
-- whoever makes tokens up gains nothing.
-- The requests that were admitted in the last period are remembered one by one, so that no period,
-- wherever it begins, holds more of them than the limit. What is refused isn't counted.
--
-- ARGS operation, token, address, with_token, without
-- REPLY category, admitted, remaining, changes_in, now
--
-- `with_token` and `without` are {category, limit, period in ms}, for a known token and for an address.
-- `remaining` is how many more may come now, `changes_in` the ms until the next of those that count leaves
-- the
-- period.

local operation, token = ARG.operation, ARG.token
local client, allowance = 'address:' .. ARG.address, ARG.without
local user = token ~= '' and redis.call('HGET', K.token .. token, 'user')
if user then client, allowance = 'user:' .. user, ARG.with_token end
local category, limit, period = allowance[1], tonumber(allowance[2]), tonumber(allowance[3])
local key = K.rate .. category .. ':' .. client
local now = now_ms()
local past, present = '(' .. int(now - period), int(now)
-- Up to now: were the clock set back, what was counted by the old one must not stand in the way.
local used = redis.call('ZCOUNT', key, past, present)
local admitted, is_counted = used < limit, redis.call('ZSCORE', key, operation)

-- The request that has to leave the period before the next one is admitted, or before one more is.
local skipped = math.max(0, used - limit)
local edge = redis.call('ZRANGEBYSCORE', key, past, present, 'WITHSCORES', 'LIMIT', skipped, 1)
local left = edge[2] and edge[2] + period - now or period

local function answer(is_admitted, remaining)
  return cjson.encode({
    category = category, admitted = is_admitted, remaining = remaining, changes_in = int(left), now = present,
  })
end

if is_counted then return answer(true, math.max(0, limit - used)) end
if not admitted then return answer(false, 0) end

redis.call('ZREMRANGEBYSCORE', key, '-inf', int(now - period))
redis.call('ZADD', key, present, operation)
redis.call('PEXPIRE', key, int(period))
return answer(true, limit - used - 1)
