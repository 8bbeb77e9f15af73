-- needs requests queue
-- observe: what a pass needs to know of a pool, at one moment. Writes nothing.
-- ARGV pool, provider, configured size, ready ttl in ms, '1' for the names of all ready VMs too,
--      most VMs of each kind, '1' when what was set through the API counts: the pool is configured
-- Returns {now, generation, halted or '', broken or '', why clones are held back or '',
--          clone slots in use for requests, for pools, backlog, clones of this pool,
--          {sizes of pending, ready, suspect, running, completed, destroying, stale},
--          pending VMs: {name, provider, phase, reserved, lease, attempt, id or '',
--            cloned or '', round}...: flat,
--          ready VMs past their ttl: name...,
--          the oldest ready VMs, as many as there are more alive than size and backlog: name...,
--          running VMs whose lifetime is over: name...,
--          VMs whose destruction is due: name...,
--          running VMs whose owner isn't on their tag:
--            {name, provider, id, attempt, user, ends or ''}...: flat,
--          ready VMs: {name, since}...: flat,  suspects: {name, since}...: flat,
--          when the next of these will be due by itself, or '',
--          {size, template, clone target that were set through the API, each or ''}, round,
--          template that its VMs are made from or '', ready VMs that are stale: name...,
--          ready VMs that are owed to checkouts that came before the backlog}

local pool, ttl, most, now = ARGV[1], tonumber(ARGV[4]), tonumber(ARGV[6]), now_ms()
local is_configured = ARGV[7] == '1'
local size = is_configured and size_of(pool, ARGV[3]) or tonumber(ARGV[3])

local function due(key, upto)
  return redis.call('ZRANGEBYSCORE', key .. pool, '-inf', int(upto), 'LIMIT', 0, most)
end

local function details(vms, ...)
  local found = {}
  for _, vm in ipairs(vms) do
    table.insert(found, vm)
    for _, value in ipairs(redis.call('HMGET', K.vm .. vm, ...)) do table.insert(found, value or '') end
  end
  return found
end

local sizes = {}
for _, state in ipairs({ 'pending', 'ready', 'suspect', 'running', 'completed', 'destroying', 'stale' }) do
  table.insert(sizes, redis.call('ZCARD', K[state] .. pool))
end
local dying = due(K.completed, now)
for _, vm in ipairs(due(K.destroying, now)) do table.insert(dying, vm) end
local all = ARGV[5] == '1'
local backlog = redis.call('ZCARD', K.backlog .. pool)
local excess = math.min(sizes[1] + sizes[2] - size - backlog, most)
local requests_used, pools_used = slots_used(now)

local next_due
local function soonest(key, delay)
  local after = '(' .. int(now - delay)
  local first = redis.call('ZRANGEBYSCORE', key .. pool, after, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  local at = tonumber(first[2]) or math.huge
  if at + delay < (next_due or math.huge) then next_due = at + delay end
end
soonest(K.running, 0)
soonest(K.completed, 0)
soonest(K.destroying, 0)
soonest(K.ready, ttl)

local want, reserved = head(pool), 0
if want then reserved = math.min(sizes[2], (owed(pool, sizes[2], want.turn))) end
-- Places lapse without a word.
if reserved > 0 then next_due = math.min(next_due or math.huge, now + PLACE_KEPT) end

return {
  int(now),
  redis.call('GET', K.generation) or '',
  redis.call('HGET', K.deletion_paused, ARGV[2]) or '',
  redis.call('HGET', K.broken, pool) or '',
  redis.call('HGET', K.backing_off, pool) or '',
  requests_used,
  pools_used,
  backlog,
  redis.call('ZCOUNT', K.cloning .. pool, int(now), '+inf'),
  sizes,
  details(redis.call('ZRANGE', K.pending .. pool, 0, most - 1),
    'provider', 'phase', 'reserved', 'lease', 'attempt', 'id', 'cloned', 'revision'),
  due(K.ready, now - ttl),
  excess > 0 and redis.call('ZRANGE', K.ready .. pool, 0, excess - 1) or {},
  due(K.running, now),
  dying,
  details(redis.call('ZRANGE', K.untagged .. pool, 0, most - 1), 'provider', 'id', 'attempt', 'user', 'ends'),
  all and redis.call('ZRANGE', K.ready .. pool, 0, -1, 'WITHSCORES') or {},
  redis.call('ZRANGE', K.suspect .. pool, 0, all and -1 or most - 1, 'WITHSCORES'),
  next_due and int(next_due) or '',
  {
    is_configured and redis.call('HGET', K.size, pool) or '',
    is_configured and redis.call('HGET', K.template, pool) or '',
    is_configured and redis.call('HGET', K.clone_target, pool) or '',
  },
  redis.call('HGET', K.revisions, pool) or '0',
  redis.call('HGET', K.template_ready, pool) or '',
  redis.call('ZRANGE', K.stale .. pool, 0, most - 1),
  reserved,
}
