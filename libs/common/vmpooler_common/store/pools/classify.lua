-- classify: what the records say of VMs that a listing shows. Writes nothing.
-- ARGV vm..., at most 1,000
-- Returns per name: state or '', attempt, provider, provider id, when it was gone or '': flat.

local found = {}
for _, vm in ipairs(ARGV) do
  for _, value in ipairs(redis.call('HMGET', K.vm .. vm, 'state', 'attempt', 'provider', 'id', 'gone')) do
    table.insert(found, value or '')
  end
end
return found
