-- needs tasks
-- add_task: take up a task on a running VM and leave it in the managers' inbox.
-- ARGV id of the task, which marks a repetition too, vm, token digest or '', '1' when a token is needed,
--      kind (disk, snapshot or revert), a disk's size in GB or the snapshot to go back to or '',
--      '1' when only the owner and admins may, admin...
-- Returns {'ok', pool, provider id, user}, {'unauthorized'} and {'foreign'} as `release` does,
--         {'missing'} when no such VM runs, or there is no such snapshot to go back to,
--         {'full'} when too many tasks of the VM wait, {'many'} when it has as many of the kind as it may.

local id, vm, token, kind, detail = ARGV[1], ARGV[2], ARGV[3], ARGV[5], ARGV[6]
local user = token ~= '' and redis.call('HGET', K.token .. token, 'user')
if ARGV[4] == '1' and not user then return { 'unauthorized' } end
local known = redis.call('HMGET', K.vm .. vm, 'state', 'pool', 'id', 'user', 'token', 'task:' .. id)
if not known[1] then return { 'missing' } end
local refusal = why_refused((known[5] or '') ~= '', known[4], user, ARGV[7] == '1', 8)
if refusal then return { refusal } end
local reply = { 'ok', known[2], known[3] or '', user or '' }
if known[6] then return reply end
if known[1] ~= 'running' then return { 'missing' } end
refusal = why_no_task(vm, kind, detail)
if refusal then return { refusal } end

local now = now_ms()
add_task(vm, id, kind, detail, user or '', now)
if user then redis.call('HSET', K.token .. token, 'last', int(now)) end
return reply
