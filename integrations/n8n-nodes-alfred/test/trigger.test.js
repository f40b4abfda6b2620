const assert = require('node:assert/strict');
const { createHmac } = require('node:crypto');
const { test } = require('node:test');

const { AlfredTrigger } = require('../dist/nodes/AlfredTrigger/AlfredTrigger.node.js');
const { isGenuine } = require('../dist/nodes/AlfredTrigger/signature.js');
const { context, served } = require('./service.js');

const SECRET = 'whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=';
const URL = 'https://n8n.example.com/webhook/1';
const VECTOR = {
  body: Buffer.from('{"id":"0190f3a8-7c1e-7d4a-9b1f-2f6f0c9f7a11","type":"message.received","timestamp":"2026-11-26T10:00:00.000Z","data":{"text":"Olá, preço?"}}'),
  headers: {
    'webhook-id': '0190f3a8-7c1e-7d4a-9b1f-2f6f0c9f7a11',
    'webhook-timestamp': '1795687200',
    'webhook-signature': 'v1,4b/DzcX1GaQZQML7jNSyc4iVdcjB+3ZLg97edS6tyD0=',
  },
};
const NOW = 1795687200;

test('the signature of the document is genuine, also beside another one', () => {
  assert.ok(isGenuine(SECRET, VECTOR.headers, VECTOR.body, NOW));
  const two = { ...VECTOR.headers, 'webhook-signature': `v1,AAAA ${VECTOR.headers['webhook-signature']}` };
  assert.ok(isGenuine(SECRET, two, VECTOR.body, NOW));
});

test('what was changed, is old, is unsigned or has another secret is not', () => {
  assert.ok(!isGenuine(SECRET, VECTOR.headers, Buffer.from('{}'), NOW));
  assert.ok(!isGenuine(SECRET, VECTOR.headers, VECTOR.body, NOW + 301));
  assert.ok(!isGenuine(SECRET, VECTOR.headers, VECTOR.body, NOW - 301));
  assert.ok(!isGenuine(SECRET, {}, VECTOR.body, NOW));
  assert.ok(!isGenuine('whsec_AAAA', VECTOR.headers, VECTOR.body, NOW));
  assert.ok(!isGenuine('', VECTOR.headers, VECTOR.body, NOW));
  assert.ok(!isGenuine(SECRET, { ...VECTOR.headers, 'webhook-timestamp': 'soon' }, VECTOR.body, NOW));
});

/** Subscriptions as Alfred keeps them. */
function alfred(rows = []) {
  let last = 0;
  return (method, path, body) => {
    const [, , , , id, verb] = path.split(/[/?]/);
    const row = rows.find((one) => one.id === id);
    if (verb === 'rotate') return [200, { secret: `whsec_rotated-${id}` }];
    if (method === 'POST') {
      const made = { id: `s${(last += 1)}`, enabled: true, ...body };
      rows.unshift(made);
      return [201, { ...made, secret: SECRET }];
    }
    if (method === 'PATCH') return [200, Object.assign(row, body)];
    if (method === 'DELETE') {
      if (!row) return [404, { detail: 'There is no such subscription.' }];
      rows.splice(rows.indexOf(row), 1);
      return [204];
    }
    return [200, { items: rows.filter((one) => one.url === URL), has_more: false, next_cursor: null }];
  };
}

async function withService(rows, act, staticData = {}) {
  const service = await served(alfred(rows));
  const node = context(service.url, [{ events: ['message.*'], ordered: false }], { staticData, webhookUrl: URL });
  try {
    return await act(new AlfredTrigger().webhookMethods.default, node, service.requests);
  } finally {
    await service.close();
  }
}

test('it subscribes on activation, is found again, and leaves nothing on deactivation', async () => {
  const rows = [];
  const staticData = {};
  await withService(rows, async (methods, node) => {
    assert.equal(await methods.checkExists.call(node), false);
    assert.equal(await methods.create.call(node), true);
    assert.deepEqual(rows.map(({ url, events, description }) => [url, events, description]), [[URL, ['message.*'], 'n8n: Orders']]);
    assert.deepEqual(staticData.subscriptions, { [URL]: { id: 's1', secret: SECRET } });
    assert.equal(await methods.checkExists.call(node), true);
    assert.equal(await methods.delete.call(node), true);
    assert.deepEqual([rows, staticData.subscriptions], [[], {}]);
    assert.equal(await methods.delete.call(node), true);
  }, staticData);
});

test('one that is gone already is deactivated without an error', async () => {
  const staticData = { subscriptions: { [URL]: { id: 's9', secret: SECRET } } };
  await withService([], async (methods, node) => assert.equal(await methods.delete.call(node), true), staticData);
});

test('one with a secret that was forgotten gets a new one, and its doubles go', async () => {
  const rows = ['a', 'b'].map((id) => ({ id, url: URL, events: ['message.*'], ordered: false, enabled: true }));
  const staticData = {};
  await withService(rows, async (methods, node) => assert.equal(await methods.checkExists.call(node), true), staticData);
  assert.deepEqual(rows.map((one) => one.id), ['a']);
  assert.deepEqual(staticData.subscriptions[URL], { id: 'a', secret: 'whsec_rotated-a' });
});

test('one that was switched off, or has other events, becomes as wished', async () => {
  const rows = [{ id: 'a', url: URL, events: ['task.created'], ordered: true, enabled: false }];
  const staticData = { subscriptions: { [URL]: { id: 'a', secret: SECRET } } };
  await withService(rows, async (methods, node) => assert.equal(await methods.checkExists.call(node), true), staticData);
  assert.deepEqual(rows, [{ id: 'a', url: URL, events: ['message.*'], ordered: false, enabled: true }]);
  assert.equal(staticData.subscriptions[URL].secret, SECRET);
});

function post(event, secret = SECRET) {
  const rawBody = Buffer.from(JSON.stringify(event));
  const stamp = String(Math.floor(Date.now() / 1000));
  const mac = createHmac('sha256', Buffer.from(secret.slice(6), 'base64')).update(`e1.${stamp}.`).update(rawBody).digest('base64');
  const answer = {};
  const response = { status(code) { answer.status = code; return response; }, json(body) { answer.body = body; } };
  const node = {
    ...context('http://127.0.0.1:9', [{}], { staticData: { subscriptions: { [URL]: { id: 's1', secret: SECRET } } }, webhookUrl: URL }),
    getHeaderData: () => ({ 'webhook-id': 'e1', 'webhook-timestamp': stamp, 'webhook-signature': `v1,${mac}` }),
    getRequestObject: () => ({ rawBody }),
    getResponseObject: () => response,
    getBodyData: () => event,
  };
  return new AlfredTrigger().webhook.call(node).then((result) => ({ answer, result }));
}

test('a genuine event starts the workflow', async () => {
  const { result } = await post({ id: 'e1', type: 'message.received', data: {} });
  assert.deepEqual(result.workflowData, [[{ json: { id: 'e1', type: 'message.received', data: {} } }]]);
});

test('a test call is taken and starts nothing', async () => {
  assert.deepEqual((await post({ type: 'ping' })).result, { webhookResponse: 'OK' });
});

test('a forged event is refused', async () => {
  const { answer, result } = await post({ type: 'message.received' }, 'whsec_AAAA');
  assert.equal(answer.status, 401);
  assert.deepEqual(result, { noWebhookResponse: true });
});
