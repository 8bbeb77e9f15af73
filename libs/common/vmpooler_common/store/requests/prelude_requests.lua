-- On-demand requests: what the scripts share that grant VMs to them, note failed attempts with them or close
-- them.

local UNSERVED = 60000 -- ms that a pool may have backlog without a manager: so long a rolling change may take

local FINISHED_COUNTED = 3600000 -- ms for which a request that is over counts against its client
local LONGEST_REASON = 500       -- characters of a request's reason that are kept

-- Whose turn an item is part of: clients take turns, and so do requests of which no client is known.
local function turn_key(request, client)
  return client ~= '' and client or 'r:' .. request
end

-- Count an item among those that its client wants, or don't any more.
local function want(command, request, n, client, token)
  local item = request .. '#' .. n
  if client ~= '' then redis.call(command, K.wanted .. client, item) end
  if token == '' then redis.call(command, K.wanted .. 'anonymous', item) end
end

local function poke_waiters(request)
  event('request.changed', '', request)
end

-- Put the n-th item of a request into its pool's backlog.
local function enqueue(request, n, pool, whose)
  local item, turn = request .. '#' .. n, redis.call('INCR', K.turn)
  redis.call('ZADD', K.backlog .. pool, turn, item)
  redis.call('ZADD', K.user_queue .. pool .. ':' .. whose, turn, item)
  redis.call('ZADD', K.turns .. pool, 'NX', turn, whose)
  redis.call('SADD', K.backlogs, pool)
end

-- Take an item out of its pool's backlog; `served` when its user has had a turn by it.
local function dequeue(request, n, pool, whose, served)
  local item, queue = request .. '#' .. n, K.user_queue .. pool .. ':' .. whose
  redis.call('ZREM', K.backlog .. pool, item)
  redis.call('ZREM', queue, item)
  if redis.call('EXISTS', queue) == 0 then
    redis.call('ZREM', K.turns .. pool, whose)
  elseif served then
    redis.call('ZADD', K.turns .. pool, redis.call('INCR', K.turn), whose)
  end
  if redis.call('EXISTS', K.backlog .. pool) == 0 then redis.call('SREM', K.backlogs, pool) end
end

-- The item that a pool serves next, or nil.
local function head(pool)
  local first = redis.call('ZRANGE', K.turns .. pool, 0, 0, 'WITHSCORES')
  local whose = first[1]
  if not whose then return nil end
  local item = redis.call('ZRANGE', K.user_queue .. pool .. ':' .. whose, 0, 0)[1]
  local request, n = string.match(item, '^(.*)#(%d+)$')
  return { request = request, n = n, pool = pool, whose = whose, turn = tonumber(first[2]) }
end

-- The request that has waited longest for a pool, when it has too long and no manager knows the pool;
-- else nil. A pool that has VMs, or had some, is known to every manager.
local function unserved(pool, now)
  local ends = string.match(redis.call('HGET', K.leases, pool) or '', '^(%d+) ')
  if ends and tonumber(ends) >= now or redis.call('HEXISTS', K.pools, pool) == 1 then return nil end
  local item = redis.call('ZRANGE', K.backlog .. pool, 0, 0)[1]
  if not item then return nil end
  local request = string.match(item, '^(.*)#%d+$')
  return now - redis.call('HGET', K.request .. request, 'accepted') >= UNSERVED and request or nil
end

local function read_item(request, n)
  return cjson.decode(redis.call('HGET', K.items .. request, n))
end

local function write_item(request, n, item)
  redis.call('HSET', K.items .. request, n, cjson.encode(item))
end

-- The request is over: its outcome is kept for a while after its last VM was returned, and forgotten.
local function finish(request, status, now, ...)
  local key = K.request .. request
  redis.call('HSET', key, 'status', status, 'ended', int(now), ...)
  redis.call('ZREM', K.open, request)
  redis.call('ZREM', K.unaccepted, request)
  local known = redis.call('HMGET', key, 'keep', 'client')
  if status ~= 'ready' then
    redis.call('EXPIRE', key, known[1])
    redis.call('DEL', K.items .. request, K.request_vms .. request)
  end
  if known[2] ~= '' then
    local finished = K.finished .. known[2]
    redis.call('ZADD', finished, int(now), request)
    redis.call('ZREMRANGEBYSCORE', finished, '-inf', int(now - FINISHED_COUNTED))
    redis.call('PEXPIRE', finished, FINISHED_COUNTED)
  end
  poke_waiters(request)
end

-- Give a VM, pending or ready, to an item. Returns the user and how long the request has waited for it.
local function grant(item, vm, index, operation, now)
  local known =
    redis.call('HMGET', K.request .. item.request, 'user', 'token', 'lifetime', 'created', 'total', 'client')
  local lifetime, waited = tonumber(known[3]), int(now - known[4])
  local ends = lifetime > 0 and int(now + lifetime) or ''
  redis.call('ZADD', K.untagged .. item.pool, int(now), vm)
  move(vm, item.pool, index, 'running', ends == '' and '+inf' or ends, 'op', operation, 'checkout', int(now),
    'ends', ends, 'user', known[1], 'token', known[2], 'request', item.request, 'waited', waited,
    'client', known[6])
  if known[6] ~= '' then redis.call('ZADD', K.taken .. known[6], int(now), vm) end
  redis.call('SADD', K.request_vms .. item.request, vm)
  want('SREM', item.request, item.n, known[6], known[2])
  local entry = read_item(item.request, item.n)
  entry.vm = vm
  write_item(item.request, item.n, entry)
  dequeue(item.request, item.n, item.pool, item.whose, true)
  if redis.call('HINCRBY', K.request .. item.request, 'granted', 1) == tonumber(known[5]) then
    finish(item.request, 'ready', now)
  else
    poke_waiters(item.request)
  end
  return known[1], waited
end

-- Close a request: its VMs go to destruction, what it waits for is not wanted any more. Returns those VMs.
local function close(request, status, now, reason)
  local key = K.request .. request
  local known = redis.call('HMGET', key, 'client', 'accepted', 'token')
  local whose = turn_key(request, known[1])
  local returned, entries = {}, redis.call('HGETALL', K.items .. request)
  for at = 1, #entries, 2 do
    local item = cjson.decode(entries[at + 1])
    if item.vm == '' then
      if known[2] then dequeue(request, entries[at], item.pool, whose, false) end
      want('SREM', request, entries[at], known[1], known[3])
    else
      local record = redis.call('HMGET', K.vm .. item.vm, 'state', 'request')
      if record[1] == 'running' and record[2] == request then
        redis.call('ZREM', K.untagged .. item.pool, item.vm)
        local reason = 'request ' .. status
        move(item.vm, item.pool, 'running', 'completed', int(now), 'completed', int(now), 'reason', reason)
        table.insert(returned, item.vm)
      end
    end
    if item.vm == '' then event('pool.backlog', item.pool, request) end
  end
  finish(request, status, now, 'reason', string.sub(reason, 1, LONGEST_REASON))
  return returned
end

-- A clone of the pool failed: note it with the item that is next, and fail its request after so many. Without
-- `most` it doesn't count as an attempt.
local function note_failed_attempt(pool, failure, most, now)
  local item = head(pool)
  if not item then return end
  local entry = read_item(item.request, item.n)
  if most then entry.failed_attempts = entry.failed_attempts + 1 end
  failure = string.sub(failure, 1, LONGEST_REASON)
  entry.error = failure
  write_item(item.request, item.n, entry)
  redis.call('HSET', K.request .. item.request, 'error', failure)
  if most and entry.failed_attempts >= most then
    close(item.request, 'failed', now, failure)
  else
    poke_waiters(item.request)
  end
end
