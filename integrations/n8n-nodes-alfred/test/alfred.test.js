const assert = require('node:assert/strict');
const { test } = require('node:test');

const { Alfred } = require('../dist/nodes/Alfred/Alfred.node.js');
const { OPERATIONS, operationOf, requestOf } = require('../dist/nodes/Alfred/operations.js');
const { context, served } = require('./service.js');

async function run(answers, items, options) {
  const service = await served(answers);
  try {
    const [made] = await new Alfred().execute.call(context(service.url, items, options));
    return { made, requests: service.requests };
  } finally {
    await service.close();
  }
}

test('each operation has its form, and only its own fields', () => {
  const { properties } = new Alfred().description;
  for (const operation of OPERATIONS) {
    const shown = properties.filter((one) => one.displayOptions?.show.operation?.includes(operation.name) && one.displayOptions.show.resource.includes(operation.resource));
    const optional = shown.find((one) => one.name === 'additionalFields')?.options ?? [];
    const names = [...shown, ...optional].map((one) => one.name);
    assert.equal(new Set(names).size, names.length, operation.label);
    assert.deepEqual(operation.fields.filter((field) => !names.includes(field.name)), []);
  }
});

test('each operation can be chosen, by a name that is its own', () => {
  const choices = new Alfred().description.properties.filter((one) => one.name === 'operation').flatMap((one) => one.options.map((option) => `${one.displayOptions.show.resource}.${option.value}`));
  assert.deepEqual(new Set(choices), new Set(OPERATIONS.map((one) => `${one.resource}.${one.name}`)));
  assert.equal(choices.length, OPERATIONS.length);
});

test('a task is created once for each item, with its key', async () => {
  const items = ['1', '2'].map((title) => ({ resource: 'task', operation: 'create', title, idempotencyKey: `task-${title}`, additionalFields: { priority: 'high', due_date: '' } }));
  const { made, requests } = await run((method, path, body) => [201, { id: `t${body.title}` }], items);
  assert.deepEqual(made, [{ json: { id: 't1' }, pairedItem: { item: 0 } }, { json: { id: 't2' }, pairedItem: { item: 1 } }]);
  assert.deepEqual(requests[0].body, { title: '1', priority: 'high' });
  assert.deepEqual(requests.map((one) => one.headers['idempotency-key']), ['task-1', 'task-2']);
});

test('a refusal shows the sentence of Alfred and the field', async () => {
  const errors = [{ pointer: '/title', message: 'Use at most 200 characters.', code: 'too_long' }, { pointer: '', message: 'Say when.' }];
  const problem = { status: 422, code: 'validation_failed', detail: 'The title is too long.', errors };
  const items = [{ resource: 'task', operation: 'create', title: 'x' }];
  await assert.rejects(run(() => [422, problem], items), (error) => {
    assert.equal(error.message, 'The title is too long.');
    assert.equal(error.description, '/title: Use at most 200 characters.\nSay when.');
    assert.equal(error.httpCode, '422');
    return true;
  });
});

test('with Continue On Fail the item says why, and the others go on', async () => {
  const items = ['gone', 'there'].map((id) => ({ resource: 'task', operation: 'get', task_id: id }));
  const answers = (method, path) => (path.endsWith('gone') ? [404, { detail: 'There is no such task.' }] : [200, { id: 'there' }]);
  const { made } = await run(answers, items, { continueOnFail: true });
  assert.deepEqual(made.map((one) => one.json), [{ error: 'There is no such task.' }, { id: 'there' }]);
});

test('an answer that is not of Alfred is an error with its status', async () => {
  await assert.rejects(run(() => [502, 'a gateway'], [{ resource: 'task', operation: 'get', task_id: '1' }]), /status 502/);
});

test('all pages of a list are followed', async () => {
  const answers = (method, path) => (path.includes('cursor=next') ? [200, { items: [{ id: 3 }], has_more: false, next_cursor: null }] : [200, { items: [{ id: 1 }, { id: 2 }], has_more: true, next_cursor: 'next' }]);
  const { made } = await run(answers, [{ resource: 'contact', operation: 'getAll', returnAll: true, additionalFields: { q: 'Zoë' } }]);
  assert.deepEqual(made.map((one) => one.json.id), [1, 2, 3]);
});

test('a list ends at its limit', async () => {
  const { made, requests } = await run((method, path) => [200, { items: [{ id: 1 }, { id: 2 }], has_more: true, next_cursor: 'next' }], [{ resource: 'contact', operation: 'getAll', limit: 2 }]);
  assert.equal(made.length, 2);
  assert.match(requests[0].path, /limit=2/);
  assert.equal(requests.length, 1);
});

test('what a messenger posted goes as it is, and each message comes out', async () => {
  const posted = { body: { messages: [1] }, headers: {}, params: {}, query: {} };
  const { made, requests } = await run(() => [200, { messages: [{ message_id: '1' }, { message_id: '2' }] }], [{ resource: 'message', operation: 'takeIn', channel: 'whatsapp', payload: posted }]);
  assert.deepEqual(requests[0].body, posted);
  assert.equal(made.length, 2);
});

test('a poll gives its position and its events', async () => {
  const { made, requests } = await run(() => [200, { items: [], after: 'abc', has_more: false }], [{ resource: 'event', operation: 'poll', after: 'now' }]);
  assert.equal(made[0].json.after, 'abc');
  assert.match(requests[0].path, /events\?after=now/);
});

test('an id cannot leave its place in the path', () => {
  assert.equal(requestOf(operationOf('task', 'get'), { task_id: '../me?x=1' }).path, '/tasks/..%2Fme%3Fx%3D1');
});

test('an empty field that is needed is named', () => {
  assert.throws(() => requestOf(operationOf('task', 'get'), { task_id: '' }), /Task ID is empty/);
  assert.throws(() => requestOf(operationOf('message', 'reportOutcome'), { message_id: '1', status: 'failed', error: '{' }), /Error is not valid JSON/);
});
