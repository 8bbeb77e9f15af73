-- needs queue
-- show_holders: tell which waiting checkouts hold ready VMs back from those who came later. Writes nothing.
-- ARGS token, pools
-- REPLY viewer, pools
--
-- `token` is the digest of whoever asks, or ''; `viewer` is whose it is, or ''. `pools` are those where
-- somebody holds VMs: pool, and holders: user, address, since and vms of each, the first one first.

local viewer = ARG.token ~= '' and redis.call('HGET', K.token .. ARG.token, 'user') or ''
local found = {}
for _, pool in ipairs(ARG.pools) do
  if redis.call('EXISTS', K.queue .. pool) == 1 then
    local holders = holders_of(pool, redis.call('ZCARD', K.ready .. pool))
    if #holders > 0 then table.insert(found, { pool = pool, holders = holders }) end
  end
end
return cjson.encode({ viewer = viewer, pools = found })
