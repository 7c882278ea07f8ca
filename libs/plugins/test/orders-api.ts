/** An OpenAPI document with a bit of everything. */
export const ordersApi = {
  openapi: '3.1.0',
  info: { title: 'Orders', version: '1' },
  servers: [{ url: 'https://api.example.com/v1' }],
  paths: {
    '/orders': {
      post: {
        parameters: [{ $ref: '#/components/parameters/Dry' }],
        requestBody: {
          required: true,
          content: {
            'application/json': { schema: { $ref: '#/components/schemas/Order' } },
            'text/csv': {},
          },
        },
        responses: {},
      },
      get: {
        parameters: [
          { name: 'limit', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 100 } },
          { name: 'state', in: 'query', schema: { type: 'array', items: { enum: ['open', 'paid'] } } },
          { name: 'X-Trace', in: 'header', required: true, schema: { type: 'string', format: 'uuid' } },
          { name: 'session', in: 'cookie', schema: { type: 'string', maxLength: 4 } },
        ],
        responses: {},
      },
    },
    '/orders/{id}': {
      parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'integer' } }],
      get: { responses: {} },
    },
    '/orders/latest': { get: { responses: {} } },
  },
  components: {
    parameters: { Dry: { name: 'dry', in: 'query', schema: { type: 'boolean' } } },
    schemas: {
      Order: {
        type: 'object',
        required: ['sku', 'lines'],
        additionalProperties: false,
        properties: {
          sku: { type: 'string', pattern: '^[A-Z]{3}-[0-9]+$' },
          lines: { type: 'array', uniqueItems: true, items: { $ref: '#/components/schemas/Line' } },
          mail: { type: 'string', format: 'email' },
          parent: { $ref: '#/components/schemas/Order' },
        },
      },
      Line: { type: 'object', properties: { count: { type: 'integer', minimum: 1 } } },
    },
  },
};
