-- admit_rate: count a request against its client's limit, unless the limit is reached.
--
-- A client is its token when that is known, else its address: whoever makes tokens up gains nothing.
-- The requests that were admitted in the last period are remembered one by one, so that no period,
-- wherever it begins, holds more of them than the limit. What is refused isn't counted.
--
-- ARGV operation, token digest or '', address, then for a known token and for an address:
--      class, limit, period in ms
-- Returns {class, 1 when admitted else 0, how many more may come now,
--          ms until the next of those that count leaves the period, now}

local operation, token = ARGV[1], ARGV[2]
local client, at = 'address:' .. ARGV[3], 7
if token ~= '' and redis.call('EXISTS', K.token .. token) == 1 then
  client, at = 'token:' .. token, 4
end
local class, limit, period = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
local key = K.rate .. class .. ':' .. client
local now = now_ms()
local past, present = '(' .. int(now - period), int(now)
-- Up to now: were the clock set back, what was counted by the old one must not stand in the way.
local used = redis.call('ZCOUNT', key, past, present)
local admitted, is_counted = used < limit, redis.call('ZSCORE', key, operation)

-- The request that has to leave the period before the next one is admitted, or before one more is.
local skipped = math.max(0, used - limit)
local edge = redis.call('ZRANGEBYSCORE', key, past, present, 'WITHSCORES', 'LIMIT', skipped, 1)
local left = edge[2] and edge[2] + period - now or period
if is_counted then return { class, 1, math.max(0, limit - used), left, present } end
if not admitted then return { class, 0, 0, left, present } end

redis.call('ZREMRANGEBYSCORE', key, '-inf', int(now - period))
redis.call('ZADD', key, present, operation)
redis.call('PEXPIRE', key, int(period))
return { class, 1, limit - used - 1, left, present }
