-- today: the statistics of this UTC day. Writes nothing.
-- Returns {of clones: flat, of boots: flat}

local day = day_of(now_ms())
return { redis.call('HGETALL', K.stats .. 'clone:' .. day), redis.call('HGETALL', K.stats .. 'boot:' .. day) }
