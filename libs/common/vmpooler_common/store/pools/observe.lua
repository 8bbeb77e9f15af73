-- needs requests queue
-- observe: what a pass needs to know of a pool, at one moment. Writes nothing.
-- ARGV pool, provider, size, ready_ttl, all, most, is_configured
-- REPLY now, generation, deletion_paused, broken, backing_off, problem, paused, request_slots, pool_slots,
--       backlog, clones,
--       sizes,
--       pending, expired, excess, ended, due, untagged, ready, suspects, next_due, size, template,
--       clone_target,
--       revision, template_ready, stale, owed, held, place, dns_due, unsettled
--
-- `size` is the configured one; `all` is '1' for the names of all ready VMs, `is_configured` when what was
-- set
-- through the API counts. At most `most` VMs of a kind are given.
-- Reasons, and what was not set, are ''. `sizes` is {state → number of VMs}; `clones` are those of this pool.
-- pending: {name, provider, phase, reserved, lease, attempt, provider_id, cloned, revision, dns_tried}...
-- expired: names of ready VMs past their ttl; excess: those of the oldest ready VMs, as many as there are
-- more
-- alive than size and backlog; ended: those of running VMs whose lifetime is over; due: those of VMs whose
-- destruction is due; stale: those of ready VMs that are stale.
-- untagged: {name, provider, provider_id, attempt, user, ends}... of running VMs whose owner or end isn't on
-- their tag and is to be noted there now.
-- dns_due: {name, state, attempt, dns, domain, provider, ip}... of VMs whose DNS records are to be changed
-- now; unsettled: how many there are in all, those to be tried again later too.
-- ready and suspects are flat: name, since, name, since.
-- held: ready VMs that waiting checkouts hold back from later ones.
-- next_due: when the next of these will be due by itself; owed: ready VMs that are owed to checkouts that
-- came
-- before the backlog.

local pool, ttl, most, now = ARGV[1], tonumber(ARGV[4]), tonumber(ARGV[6]), now_ms()
local is_configured = ARGV[7] == '1'
local size = is_configured and size_of(pool, ARGV[3]) or tonumber(ARGV[3])

local function due(key, upto)
  return redis.call('ZRANGEBYSCORE', key .. pool, '-inf', int(upto), 'LIMIT', 0, most)
end

local function records(vms, ...)
  local found = {}
  for at, vm in ipairs(vms) do
    local record = redis.call('HMGET', K.vm .. vm, ...)
    for index, value in ipairs(record) do record[index] = value or '' end
    table.insert(record, 1, vm)
    found[at] = record
  end
  return found
end

local sizes = {}
for _, state in ipairs({ 'pending', 'ready', 'suspect', 'running', 'stale' }) do
  sizes[state] = redis.call('ZCARD', K[state] .. pool)
end
for _, state in ipairs({ 'completed', 'destroying' }) do sizes[state] = count_made(state, pool) end
sizes.unmade = redis.call('SCARD', K.unmade .. pool)
local dying = due(K.completed, now)
for _, vm in ipairs(due(K.destroying, now)) do table.insert(dying, vm) end
local all = ARGV[5] == '1'
local backlog = redis.call('ZCARD', K.backlog .. pool)
local excess = math.min(sizes.pending + sizes.ready - size - backlog, most)
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
soonest(K.untagged, 0)
soonest(K.dns_due, 0)

local held = math.min(sizes.ready, (owed(pool, sizes.ready)))
local item, reserved = head(pool), 0
if item then reserved = math.min(sizes.ready, (owed(pool, sizes.ready, item.turn))) end
-- Tickets lapse, and cease to hold VMs back, without a word.
if reserved > 0 then next_due = math.min(next_due or math.huge, now + 2500) end

return cjson.encode({
  now = int(now),
  generation = redis.call('GET', K.generation) or '',
  deletion_paused = redis.call('HGET', K.deletion_paused, ARGV[2]) or '',
  broken = redis.call('HGET', K.broken, pool) or '',
  backing_off = redis.call('HGET', K.backing_off, pool) or '',
  problem = redis.call('HGET', K.problems, pool) or '',
  paused = redis.call('HGET', K.paused, pool) or '',
  request_slots = requests_used,
  pool_slots = pools_used,
  backlog = backlog,
  clones = redis.call('ZCOUNT', K.cloning .. pool, int(now), '+inf'),
  sizes = sizes,
  pending = records(redis.call('ZRANGE', K.pending .. pool, 0, most - 1),
    'provider', 'phase', 'reserved', 'lease', 'attempt', 'id', 'cloned', 'revision',
    'dns_tried'),
  expired = due(K.ready, now - ttl),
  excess = excess > 0 and redis.call('ZRANGE', K.ready .. pool, 0, excess - 1) or {},
  ended = due(K.running, now),
  due = dying,
  untagged = records(due(K.untagged, now),
    'provider', 'id', 'attempt', 'user', 'ends'),
  ready = all and redis.call('ZRANGE', K.ready .. pool, 0, -1, 'WITHSCORES') or {},
  suspects = redis.call('ZRANGE', K.suspect .. pool, 0, all and -1 or most - 1, 'WITHSCORES'),
  next_due = next_due and int(next_due) or '',
  size = is_configured and redis.call('HGET', K.size, pool) or '',
  template = is_configured and redis.call('HGET', K.template, pool) or '',
  clone_target = is_configured and redis.call('HGET', K.clone_target, pool) or '',
  revision = redis.call('HGET', K.revisions, pool) or '0',
  template_ready = redis.call('HGET', K.template_ready, pool) or '',
  stale = redis.call('ZRANGE', K.stale .. pool, 0, most - 1),
  owed = reserved,
  held = held,
  place = redis.call('HGET', K.places, pool) or '',
  dns_due = records(due(K.dns_due, now), 'state', 'attempt', 'dns', 'domain', 'provider', 'ip'),
  unsettled = redis.call('ZCARD', K.dns_due .. pool),
})
