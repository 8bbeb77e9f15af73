-- Tickets: a checkout that waits has one, under the id of its operation, in the queue of each pool that
-- it may take VMs of. Checkouts are served in the order in which they came. Tickets, and the users whose
-- on-demand requests wait, share one counter of turns, so that it can be told who came first.

local TICKET_KEPT = 10000 -- since it was taken or renewed
local QUEUE_KEPT = 2 * TICKET_KEPT -- longer than any ticket in it

-- VMs of a pool that are owed to the tickets taken before `turn`, or to all where it is nil; counted up to
-- `enough`. A ticket is owed all that it could take of the pool. Returns the number and the tickets
-- that have lapsed.
local function owed(pool, enough, turn)
  local sum, lapsed, at = 0, {}, 0
  while sum < enough do
    local tickets = redis.call('ZRANGE', K.queue .. pool, at, at + 49, 'WITHSCORES')
    for n = 1, #tickets, 2 do
      if sum >= enough or (turn and tonumber(tickets[n + 1]) >= turn) then return sum, lapsed end
      local need = redis.call('HGET', K.ticket .. tickets[n], pool)
      if need then sum = sum + need else table.insert(lapsed, tickets[n]) end
    end
    if #tickets < 100 then break end
    at = at + 50
  end
  return sum, lapsed
end

-- Whether the next VM of a pool to be ready is owed to a checkout that came before the item.
local function goes_before(pool, item)
  local ready = redis.call('ZCARD', K.ready .. pool)
  return owed(pool, ready + 1, item.turn) > ready
end

-- Take a ticket for `needs`, pool → number of VMs. Returns its turn.
local function take_ticket(ticket, needs)
  local turn = redis.call('INCR', K.turn)
  for pool, need in pairs(needs) do
    redis.call('HSET', K.ticket .. ticket, pool, need)
    redis.call('ZADD', K.queue .. pool, turn, ticket)
    redis.call('PEXPIRE', K.queue .. pool, QUEUE_KEPT)
  end
  redis.call('PEXPIRE', K.ticket .. ticket, TICKET_KEPT)
  return turn
end

-- Give a ticket up, if there is one. Those who come after it are poked, and the managers
-- of pools with a backlog.
local function give_ticket_up(ticket)
  local pools = redis.call('HKEYS', K.ticket .. ticket)
  redis.call('DEL', K.ticket .. ticket)
  for _, pool in ipairs(pools) do
    redis.call('ZREM', K.queue .. pool, ticket)
    if redis.call('EXISTS', K.queue .. pool) == 1 then event('queue.moved', pool, '') end
    if redis.call('EXISTS', K.backlog .. pool) == 1 then event('pool.backlog', pool, '') end
  end
end
