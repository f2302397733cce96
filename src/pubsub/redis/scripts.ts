/**
 * What Redis does for a feed, each in one step. KEYS: lease, meta, snapshot, removed, log.
 *
 * lease     who leads, for as long as it is renewed
 * meta      fence, leader, epoch, offset, lineage, floor, rv, complete, at; wrote and before: the last two fences that wrote
 * snapshot  uid → entry, of what is there
 * removed   entry of a removal by its offset
 * log       batches by <fence>-<offset they lead to>, the last few
 */

/** Milliseconds by the clock of Redis, as a string: Lua would write large numbers with an exponent. */
const NOW = `
local function now()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
local function digits(n) return string.format('%.0f', n) end
`;

/** ARGV: owner, lease ms, keep ms, channel. Answers {1, fence, fields of the head…} or {0, who has it}. */
export const ACQUIRE = `${NOW}
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return {0, owner} end
local meta = redis.call('HMGET', KEYS[2], 'fence', 'complete')
local fence = digits(math.max((tonumber(meta[1]) or 0) + 1, now()))
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if meta[2] ~= '1' then redis.call('DEL', KEYS[2], KEYS[3], KEYS[4], KEYS[5]) end
redis.call('HSET', KEYS[2], 'fence', fence, 'leader', ARGV[1])
for i = 2, 5 do redis.call('PEXPIRE', KEYS[i], ARGV[3]) end
redis.call('PUBLISH', ARGV[4], cjson.encode({type = 'taken', leader = ARGV[1], fence = tonumber(fence)}))
local head = redis.call('HMGET', KEYS[2], 'epoch', 'offset', 'lineage', 'floor', 'rv', 'at')
local age = head[6] and digits(now() - tonumber(head[6])) or ''
return {1, fence, head[1], head[2], head[3], head[4], head[5], age}
`;

/**
 * ARGV: owner, fence, lease ms, keep ms, channel, beacon, rv or '', epoch and offset that it ends at or ''.
 * A lease that has run out or was deleted is taken again: nobody else has had it, or the fence would be another.
 * Answers 'kept', 'fenced', 'emptied', or {epoch, offset} of where it ends really, {} if nowhere: a failover has lost
 * the last writes, and whoever went on from there with that rv would never come to know of them.
 */
export const RENEW = `${NOW}
local meta = redis.call('HMGET', KEYS[2], 'fence', 'epoch', 'offset', 'complete')
if not meta[1] then return 'emptied' end
local owner = redis.call('GET', KEYS[1])
if meta[1] ~= ARGV[2] or (owner and owner ~= ARGV[1]) then return 'fenced' end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
for i = 2, 5 do redis.call('PEXPIRE', KEYS[i], ARGV[4]) end
local isThere = meta[4] == '1' and meta[2] == ARGV[8] and meta[3] == ARGV[9]
if isThere and ARGV[7] ~= '' then redis.call('HSET', KEYS[2], 'at', digits(now()), 'rv', ARGV[7]) end
redis.call('PUBLISH', ARGV[5], ARGV[6])
if isThere or (ARGV[8] == '' and meta[4] ~= '1') then return 'kept' end
if meta[4] ~= '1' then return {} end
return {meta[2], meta[3]}
`;

/** ARGV: owner, fence, channel, message. */
export const RELEASE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('HGET', KEYS[2], 'fence') ~= ARGV[2] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('PUBLISH', ARGV[3], ARGV[4])
return 1
`;

/** ARGV: owner, fence, lease ms, channel, to. The old fence ends with it. */
export const TRANSFER = `${NOW}
if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('HGET', KEYS[2], 'fence') ~= ARGV[2] then return 0 end
local fence = digits(math.max(tonumber(ARGV[2]) + 1, now()))
redis.call('SET', KEYS[1], ARGV[5], 'PX', ARGV[3])
redis.call('HSET', KEYS[2], 'fence', fence, 'leader', ARGV[5])
redis.call('PUBLISH', ARGV[4], cjson.encode({type = 'taken', leader = ARGV[5], fence = tonumber(fence)}))
return 1
`;

/**
 * ARGV: fence, channel, keep ms, first log id kept or '' for those of the last two that wrote, after epoch or '', after offset, epoch, offset, lineage, floor, rv or '',
 * complete, header, then for each entry: uid, offset, '1' if it is a removal, bytes.
 * Answers 'written', 'fenced', 'emptied', or {epoch, offset} of where it ends really, {} if nowhere.
 */
export const PUBLISH = `${NOW}
local meta = redis.call('HMGET', KEYS[2], 'fence', 'epoch', 'offset', 'complete', 'floor', 'wrote', 'before')
if not meta[1] then return 'emptied' end
if meta[1] ~= ARGV[1] then return 'fenced' end
if ARGV[5] == '' then
  redis.call('DEL', KEYS[3], KEYS[4], KEYS[5])
elseif meta[2] ~= ARGV[5] or meta[3] ~= ARGV[6] then
  if not meta[2] or meta[4] ~= '1' then return {} end
  return {meta[2], meta[3]}
end
-- Whoever leads now may remember removals for longer than they are written down.
local floor = ARGV[10]
if ARGV[5] ~= '' and tonumber(meta[5] or 0) > tonumber(floor) then floor = meta[5] end
local frame = {ARGV[13]}
for i = 14, #ARGV, 4 do
  local uid, offset, bytes = ARGV[i], ARGV[i + 1], ARGV[i + 3]
  if ARGV[i + 2] == '1' then
    redis.call('HDEL', KEYS[3], uid)
    redis.call('ZADD', KEYS[4], offset, bytes)
  else
    redis.call('HSET', KEYS[3], uid, bytes)
  end
  frame[#frame + 1] = #bytes .. '\\n' .. bytes
end
frame = table.concat(frame)
redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', floor)
-- Who writes counts no more than its own: what the one before has left is kept for those who lag, and all else goes.
local before = (meta[6] == ARGV[1] and meta[7] or meta[6]) or '0'
local least = ARGV[4] ~= '' and ARGV[4] or before .. '-0'
if #ARGV > 13 then redis.call('XADD', KEYS[5], 'MINID', least, ARGV[1] .. '-' .. ARGV[8], 'f', frame) end
redis.call('HSET', KEYS[2], 'epoch', ARGV[7], 'offset', ARGV[8], 'lineage', ARGV[9], 'floor', floor, 'complete', ARGV[12], 'wrote', ARGV[1], 'before', before)
if ARGV[11] ~= '' then redis.call('HSET', KEYS[2], 'rv', ARGV[11], 'at', digits(now())) end
for i = 2, 5 do redis.call('PEXPIRE', KEYS[i], ARGV[3]) end
redis.call('PUBLISH', ARGV[2], frame)
return 'written'
`;

/** Answers who leads, the fence, and the fields of the head, its age last. */
export const POSITION = `${NOW}
local meta = redis.call('HMGET', KEYS[2], 'fence', 'epoch', 'offset', 'lineage', 'floor', 'rv', 'complete', 'at')
local age = meta[8] and digits(now() - tonumber(meta[8])) or ''
return {redis.call('GET', KEYS[1]), meta[1], meta[7], meta[2], meta[3], meta[4], meta[5], meta[6], age}
`;
