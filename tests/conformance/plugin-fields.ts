/**
 * The fields of every plugin's configuration as the reference has them, in the form of `GET /schemas/plugins/…`.
 * Fields of records are written with a dot: `redis.host`.
 */
export interface FieldSpec {
  readonly type: string;
  readonly default?: unknown;
  readonly required?: boolean;
  readonly one_of?: readonly unknown[];
  readonly between?: readonly [low: number, high: number];
  readonly gt?: number;
  readonly elements?: FieldSpec;
}
type Over = Partial<FieldSpec>;
type Fields = Readonly<Record<string, FieldSpec>>;

const text = (over: Over = {}): FieldSpec => ({ type: 'string', ...over });
const said = (value: string, over: Over = {}): FieldSpec => text({ default: value, ...over });
const choice = (one_of: readonly string[], value?: string): FieldSpec =>
  text({ one_of, ...(value === undefined ? {} : { default: value }) });
const flag = (value = false): FieldSpec => ({ type: 'boolean', default: value });
const number = (over: Over = {}): FieldSpec => ({ type: 'number', ...over });
const integer = (over: Over = {}): FieldSpec => ({ type: 'integer', ...over });
const list = (over: Over = {}): FieldSpec => ({ type: 'array', elements: text(), ...over });
const set = (over: Over = {}): FieldSpec => ({ type: 'set', elements: text(), ...over });
const map = (over: Over = {}): FieldSpec => ({ type: 'map', ...over });
const timeout = (ms: number) => integer({ default: ms, between: [0, 2_147_483_646] });

const periods = Object.fromEntries(
  ['second', 'minute', 'hour', 'day', 'month', 'year'].map((period) => [period, number({ gt: 0 })]),
);
const redis: Fields = {
  'redis.host': text(),
  'redis.port': integer({ default: 6379, between: [0, 65_535] }),
  'redis.timeout': timeout(2000),
  'redis.username': text(),
  'redis.password': text(),
  'redis.database': integer({ default: 0 }),
  'redis.ssl': flag(),
  'redis.ssl_verify': flag(),
  'redis.server_name': text(),
};
const MILLION = 1_000_000;
const queue: Fields = {
  'queue.max_batch_size': integer({ default: 1, between: [1, MILLION] }),
  'queue.max_coalescing_delay': number({ default: 1, between: [0, 3600] }),
  'queue.max_entries': integer({ default: 10_000, between: [1, MILLION] }),
  'queue.max_bytes': integer(),
  'queue.initial_retry_delay': number({ default: 0.01, between: [0.001, MILLION] }),
  'queue.max_retry_time': number({ default: 60 }),
  'queue.max_retry_delay': number({ default: 60, between: [0.001, MILLION] }),
  'queue.concurrency_limit': integer({ default: 1 }),
};
const network: Fields = {
  host: text({ required: true }),
  port: integer({ required: true, between: [0, 65_535] }),
  timeout: number({ default: 10_000 }),
};
const METHODS = ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT'];
const HMAC = ['hmac-sha1', 'hmac-sha256', 'hmac-sha384', 'hmac-sha512'];
const JSON_TYPES = list({ default: [], elements: choice(['boolean', 'number', 'string']) });
const places = (operations: readonly string[], names: readonly string[]): Fields =>
  Object.fromEntries(
    operations.flatMap((operation) => names.map((name) => [`${operation}.${name}`, list({ default: [] })])),
  );
const OPERATIONS = ['remove', 'rename', 'replace', 'add', 'append'];

/** By plugin. */
export const FIELDS: Readonly<Record<string, Fields>> = {
  jwt: {
    uri_param_names: set({ default: ['jwt'] }),
    cookie_names: set({ default: [] }),
    header_names: set({ default: ['authorization'] }),
    key_claim_name: said('iss'),
    secret_is_base64: flag(),
    claims_to_verify: set({ elements: choice(['exp', 'nbf']) }),
    maximum_expiration: number({ default: 0, between: [0, 31_536_000] }),
    run_on_preflight: flag(true),
    anonymous: text(),
    realm: text(),
  },
  'key-auth': {
    key_names: list({ default: ['apikey'] }),
    key_in_header: flag(true),
    key_in_query: flag(true),
    key_in_body: flag(),
    hide_credentials: flag(),
    run_on_preflight: flag(true),
    anonymous: text(),
    realm: text(),
  },
  'basic-auth': { anonymous: text(), hide_credentials: flag(), realm: said('service', { required: true }) },
  acl: {
    allow: list(),
    deny: list(),
    hide_groups_header: flag(),
    always_use_authenticated_groups: flag(),
  },
  'hmac-auth': {
    hide_credentials: flag(),
    clock_skew: number({ default: 300, gt: 0 }),
    anonymous: text(),
    validate_request_body: flag(),
    enforce_headers: list({ default: [] }),
    algorithms: list({ default: HMAC, elements: choice(HMAC) }),
    realm: text(),
  },
  'rate-limiting': {
    ...periods,
    limit_by: choice(['consumer', 'credential', 'ip', 'service', 'header', 'path'], 'consumer'),
    header_name: text(),
    path: text(),
    policy: said('local'),
    fault_tolerant: flag(true),
    hide_client_headers: flag(),
    error_code: number({ default: 429, gt: 0 }),
    error_message: said('API rate limit exceeded'),
    sync_rate: number({ default: -1 }),
    ...redis,
  },
  'response-ratelimiting': {
    header_name: said('x-kong-limit'),
    limit_by: choice(['consumer', 'credential', 'ip'], 'consumer'),
    limits: map({ required: true }),
    policy: said('local'),
    fault_tolerant: flag(true),
    block_on_first_violation: flag(),
    hide_client_headers: flag(),
    ...redis,
  },
  'request-transformer': {
    http_method: text(),
    'replace.uri': text(),
    ...places(OPERATIONS, ['body', 'headers', 'querystring']),
  },
  'response-transformer': {
    ...places(OPERATIONS, ['json', 'headers']),
    'replace.json_types': JSON_TYPES,
    'add.json_types': JSON_TYPES,
    'append.json_types': JSON_TYPES,
  },
  'correlation-id': {
    header_name: said('Kong-Request-ID'),
    generator: choice(['uuid', 'uuid#counter', 'tracker'], 'uuid#counter'),
    echo_downstream: flag(),
  },
  cors: {
    origins: list(),
    headers: list(),
    exposed_headers: list(),
    methods: list({ default: METHODS, elements: choice(METHODS) }),
    max_age: number(),
    credentials: flag(),
    private_network: flag(),
    preflight_continue: flag(),
    allow_origin_absent: flag(true),
  },
  prometheus: {
    per_consumer: flag(),
    status_code_metrics: flag(),
    latency_metrics: flag(),
    bandwidth_metrics: flag(),
    upstream_health_metrics: flag(),
    ai_metrics: flag(),
    wasm_metrics: flag(),
  },
  'request-size-limiting': {
    allowed_payload_size: integer({ default: 128 }),
    size_unit: choice(['megabytes', 'kilobytes', 'bytes'], 'megabytes'),
    require_content_length: flag(),
  },
  'request-termination': {
    status_code: integer({ default: 503, between: [100, 599] }),
    message: text(),
    content_type: text(),
    body: text(),
    echo: flag(),
    trigger: text(),
  },
  'ip-restriction': { allow: list(), deny: list(), status: number(), message: text() },
  'bot-detection': { allow: list({ default: [] }), deny: list({ default: [] }) },
  'proxy-cache': {
    strategy: choice(['memory']),
    'memory.dictionary_name': said('kong_db_cache'),
    response_code: list({ default: [200, 301, 404], elements: integer({ between: [100, 900] }) }),
    request_method: list({
      default: ['GET', 'HEAD'],
      elements: choice(['HEAD', 'GET', 'POST', 'PATCH', 'PUT']),
    }),
    content_type: list({ default: ['text/plain', 'application/json'] }),
    cache_ttl: integer({ default: 300, gt: 0 }),
    cache_control: flag(),
    storage_ttl: integer(),
    ignore_uri_case: flag(),
    vary_query_params: list(),
    vary_headers: list(),
    'response_headers.age': flag(true),
    'response_headers.X-Cache-Status': flag(true),
    'response_headers.X-Cache-Key': flag(true),
  },
  'http-log': {
    http_endpoint: text({ required: true }),
    method: choice(['POST', 'PUT', 'PATCH'], 'POST'),
    content_type: choice(['application/json', 'application/json; charset=utf-8'], 'application/json'),
    timeout: number({ default: 10_000 }),
    keepalive: number({ default: 60_000 }),
    headers: map(),
    custom_fields_by_lua: map(),
    ...queue,
  },
  'file-log': { path: text({ required: true }), reopen: flag(), custom_fields_by_lua: map() },
  'tcp-log': {
    ...network,
    keepalive: number({ default: 60_000 }),
    tls: flag(),
    tls_sni: text(),
    custom_fields_by_lua: map(),
  },
  'udp-log': { ...network, custom_fields_by_lua: map() },
  'ai-prompt-guard': {
    allow_patterns: list(),
    deny_patterns: list(),
    allow_all_conversation_history: flag(),
    match_all_roles: flag(),
    max_request_body_size: integer({ default: 8192, gt: 0 }),
    llm_format: choice(['openai', 'bedrock', 'gemini'], 'openai'),
  },
  'quota-mirror': {
    redis_host: said('redis'),
    redis_port: integer({ default: 6379 }),
    redis_database: integer({ default: 0 }),
    redis_timeout: integer({ default: 2000 }),
    redis_password: text(),
    redis_ssl: flag(),
    quota_key_prefix: said('quota:tenant:'),
    alert_threshold_percentage: number({ default: 80 }),
    enable_alerts: flag(true),
    block_on_quota_exceeded: flag(),
    log_quota_checks: flag(true),
  },
};

/** The smallest valid configuration of the plugins that need one. */
export const SMALLEST: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  acl: { allow: ['a'] },
  'rate-limiting': { minute: 1 },
  'response-ratelimiting': { limits: { videos: { minute: 1 } } },
  'ip-restriction': { allow: ['10.0.0.1'] },
  'proxy-cache': { strategy: 'memory' },
  'http-log': { http_endpoint: 'http://127.0.0.1/' },
  'file-log': { path: '/tmp/a.log' },
  'tcp-log': { host: '127.0.0.1', port: 1 },
  'udp-log': { host: '127.0.0.1', port: 1 },
  'ai-prompt-guard': { deny_patterns: ['a'] },
};
