// A service on loopback that answers as it is told, and n8n's side of a node: enough to run one.
const http = require('node:http');

/** `answers` is a function of (method, path with query, body, headers) that gives [status, body]. */
async function served(answers) {
  const requests = [];
  const server = http.createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      const text = Buffer.concat(parts).toString();
      const body = text ? JSON.parse(text) : undefined;
      requests.push({ method: request.method, path: request.url, body, headers: request.headers });
      const [status, answer] = answers(request.method, request.url, body, request.headers);
      response.writeHead(status, { 'Content-Type': status < 400 ? 'application/json' : 'application/problem+json' });
      response.end(answer === undefined ? '' : JSON.stringify(answer));
    });
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    requests,
    url: `http://127.0.0.1:${server.address().port}/api/v1`,
    close: () => new Promise((done) => { server.closeAllConnections(); server.close(done); }),
  };
}

/** The functions that n8n gives to a node, with these parameters for each item. */
function context(baseUrl, items, { continueOnFail = false, staticData = {}, token = 'a token', webhookUrl = 'https://n8n.example.com/webhook/1' } = {}) {
  return {
    getInputData: () => items.map((json) => ({ json })),
    getNodeParameter: (name, index = 0, fallback = undefined) => items[typeof index === 'number' ? index : 0]?.[name] ?? fallback,
    getCredentials: async () => ({ baseUrl, token }),
    getNode: () => ({ id: '1', name: 'Alfred', type: 'n8n-nodes-alfred.alfred', typeVersion: 1, position: [0, 0], parameters: {} }),
    getWorkflow: () => ({ id: '1', name: 'Orders', active: true }),
    getWorkflowStaticData: () => staticData,
    getNodeWebhookUrl: () => webhookUrl,
    continueOnFail: () => continueOnFail,
    helpers: { httpRequestWithAuthentication: (_credential, options) => request(token, options), returnJsonArray: (all) => all.map((json) => ({ json })) },
  };
}

async function request(token, options) {
  const query = new URLSearchParams(options.qs ?? {}).toString();
  const response = await fetch(options.url + (query ? `?${query}` : ''), {
    method: options.method,
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}`, ...options.headers },
    body: options.body === undefined ? undefined : JSON.stringify(options.body),
  });
  return { statusCode: response.status, body: await response.text() };
}

module.exports = { context, served };
