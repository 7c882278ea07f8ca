/**
 * A tenant's newest state wins, in whatever order and how often events arrive: a pure maximum over
 * (occ, epoch, seq), compared as fixed-width text. Looking at the event id first ("same id, so a duplicate") would
 * make the result depend on the order. State and expiry change in one script: two commands could be cut in two.
 *
 * KEYS: a tenant's hash each. ARGV: life of a state whose expiry is past (s), then for each key occ, epoch, seq,
 * event id, expiry (Unix s, 0 none), limit, used, remaining, period, reset_at, last_updated.
 * Reply: one text, because an array costs its reader more than its writer: for each key, with blanks between,
 * \`result,limit before,used before\`; what is no number there is left out.
 */
export const APPLY_SNAPSHOTS = `
local now = tonumber(redis.call('TIME')[1])

local function apply(key, occ, epoch, seq, id, expiry, limit, used, remaining, period, reset, updated)
  local held = redis.pcall('HMGET', key, 'v_occ', 'v_epoch', 'v_seq', 'event_id', 'limit', 'used')
  if held.err then held = {} end -- something else lives under the key; the state replaces it
  if held[1] and held[2] and held[3] then
    local mine, theirs = occ .. epoch .. seq, held[1] .. held[2] .. held[3]
    if mine == theirs then return 'repeated' end
    if mine < theirs then return held[4] == id and 'duplicate' or 'stale' end
  end
  local result, life = 'applied', tonumber(expiry)
  if life > 0 and life <= now then
    result, life = 'expired', now + tonumber(ARGV[1])
  end
  redis.call('DEL', key) -- also what an earlier writer left without an expiry or with other fields
  redis.call('HSET', key, 'limit', limit, 'used', used, 'remaining', remaining, 'period', period, 'reset_at', reset,
    'last_updated', updated, 'event_id', id, 'v_occ', occ, 'v_epoch', epoch, 'v_seq', seq)
  if life > 0 then redis.call('EXPIREAT', key, string.format('%d', life)) end
  return result, held[5], held[6]
end

local replies = {}
for i, key in ipairs(KEYS) do
  local from = 2 + (i - 1) * 11
  local result, limit, used = apply(key, unpack(ARGV, from, from + 10))
  if not (tonumber(limit) and tonumber(used)) then limit, used = '', '' end
  replies[i] = result .. ',' .. limit .. ',' .. used
end
return table.concat(replies, ' ')
`;

/**
 * Adds what calls used, once per event id. Ids are remembered by the time the stream stored them. What lies before
 * \`_low\` is forgotten and can only be a redelivery, because every event of that time is settled; that is certain
 * only while the marker says that this Redis holds everything, so \`_low\` moves under it alone.
 * An event that cannot be added for good (a person's text in a sum) is refused and leaves the others alone.
 *
 * KEYS: marker, then for each event sums and ids seen. ARGV: new low (Unix ms, 0 none), epoch that the marker must
 * hold, life of the ids (s), then for each event id, stored (Unix ms), and the four amounts, empty where not given.
 * Reply: one text, the results with blanks between.
 */
export const ADD_USAGE = `
local names = {'prompt_tokens', 'completion_tokens', 'total_tokens', 'cost_nano_usd'}
local low, life = ARGV[1], ARGV[3]
local forgets = low ~= '0' and redis.call('GET', KEYS[1]) == ARGV[2]

local function add(sums, seen, id, stored, ...)
  local amounts = {...}
  local held, score = redis.pcall('HMGET', sums, '_low', unpack(names)), redis.pcall('ZSCORE', seen, id)
  if held.err or (type(score) == 'table' and score.err) then return 'refused' end
  local floor = tonumber(held[1] or '0')
  if score or tonumber(stored) < floor then return 'duplicate' end
  for i = 1, #names do
    local sum = held[i + 1]
    if amounts[i] ~= '' and sum and not (#sum <= 18 and string.match(sum, '^%-?%d+$')) then return 'refused' end
  end
  for i, name in ipairs(names) do
    if amounts[i] ~= '' then redis.call('HINCRBY', sums, name, amounts[i]) end
  end
  redis.call('ZADD', seen, stored, id)
  redis.call('EXPIRE', seen, life)
  if forgets and tonumber(low) > floor then
    redis.call('ZREMRANGEBYSCORE', seen, '-inf', '(' .. low)
    redis.call('HSET', sums, '_low', low)
  end
  return 'applied'
end

local replies = {}
for i = 1, (#KEYS - 1) / 2 do
  local from = 4 + (i - 1) * 6
  replies[i] = add(KEYS[2 * i], KEYS[2 * i + 1], unpack(ARGV, from, from + 5))
end
return table.concat(replies, ' ')
`;

/** KEYS: marker, lock. ARGV: own token, epoch. The marker is set only under the own lock: a wipe takes both. */
export const FINISH_REBUILD = `
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('DEL', KEYS[2])
return 1
`;

/** KEYS: lock. ARGV: own token, life (ms). Reply: 1 while the lock is the own one. */
export const RENEW_LOCK = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
`;
