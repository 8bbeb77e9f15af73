-- Places in line: a checkout that waits has one, under the id of its operation, in the line of each pool that
-- it may take VMs of. Checkouts are served in the order in which they came. Places, and the users whose
-- on-demand requests wait, share one counter of turns, so that it can be told who came first.

local PLACE_KEPT = 10000 -- since it was taken or renewed
local LINE_KEPT = 2 * PLACE_KEPT -- longer than any place in it

-- VMs of a pool that are owed to the places taken before `turn`, or to all where it is nil; counted up to
-- `enough`. A place is owed all that it could take of the pool. Returns the number and the places
-- that have lapsed.
local function owed(pool, enough, turn)
  local sum, lapsed, at = 0, {}, 0
  while sum < enough do
    local places = redis.call('ZRANGE', K.queue .. pool, at, at + 49, 'WITHSCORES')
    for n = 1, #places, 2 do
      if sum >= enough or (turn and tonumber(places[n + 1]) >= turn) then return sum, lapsed end
      local need = redis.call('HGET', K.ticket .. places[n], pool)
      if need then sum = sum + need else table.insert(lapsed, places[n]) end
    end
    if #places < 100 then break end
    at = at + 50
  end
  return sum, lapsed
end

-- Whether the next VM of a pool to be ready is owed to a checkout that came before the want.
local function goes_before(pool, want)
  local ready = redis.call('ZCARD', K.ready .. pool)
  return owed(pool, ready + 1, want.turn) > ready
end

-- Take a place for `needs`, pool → number of VMs. Returns its turn.
local function take_place(place, needs)
  local turn = redis.call('INCR', K.turn)
  for pool, need in pairs(needs) do
    redis.call('HSET', K.ticket .. place, pool, need)
    redis.call('ZADD', K.queue .. pool, turn, place)
    redis.call('PEXPIRE', K.queue .. pool, LINE_KEPT)
  end
  redis.call('PEXPIRE', K.ticket .. place, PLACE_KEPT)
  return turn
end

-- Give a place up, if there is one. Those who come after it are told, and the managers
-- of pools with a backlog.
local function give_up_place(place)
  local pools = redis.call('HKEYS', K.ticket .. place)
  redis.call('DEL', K.ticket .. place)
  for _, pool in ipairs(pools) do
    redis.call('ZREM', K.queue .. pool, place)
    if redis.call('EXISTS', K.queue .. pool) == 1 then event('queue.moved', pool, '') end
    if redis.call('EXISTS', K.backlog .. pool) == 1 then event('pool.backlog', pool, '') end
  end
end
