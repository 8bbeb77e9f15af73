-- today: the statistics of this UTC day. Writes nothing.
-- ARGS
-- REPLY clones, boots
--
-- Each is flat: field, value, field, value, as in the key `stats`.

local day = day_of(now_ms())
return cjson.encode({
  clones = redis.call('HGETALL', K.stats .. 'clone:' .. day),
  boots = redis.call('HGETALL', K.stats .. 'boot:' .. day),
})
