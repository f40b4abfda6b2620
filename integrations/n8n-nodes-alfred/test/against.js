// The nodes against a real Alfred: node against.js BASE_URL TOKEN HOOK_URL. Prints what came out as JSON.
const { Alfred } = require('../dist/nodes/Alfred/Alfred.node.js');
const { AlfredTrigger } = require('../dist/nodes/AlfredTrigger/AlfredTrigger.node.js');
const { context } = require('./service.js');

const [baseUrl, token, webhookUrl] = process.argv.slice(2);

async function main() {
  const out = {};
  const run = async (resource, operation, more, options) => {
    const [made] = await new Alfred().execute.call(context(baseUrl, [{ resource, operation, ...more }], { token, ...options }));
    return made.map((one) => one.json);
  };
  const [contact] = await run('contact', 'create', { handle: '+5511900000012', idempotencyKey: 'c1', additionalFields: { name: 'Marina' } });
  const [again] = await run('contact', 'create', { handle: '+5511900000012', idempotencyKey: 'c1', additionalFields: { name: 'Marina' } });
  out.once = contact.id === again.id;
  [out.contact] = await run('contact', 'update', { contact_id: contact.id, additionalFields: { settings: '{"vip": true}' } });
  for (const title of ['um', 'dois', 'três']) await run('task', 'create', { title, additionalFields: { contact_id: contact.id } });
  const tasks = await run('task', 'getAll', { returnAll: true, additionalFields: {} });
  out.tasks = tasks.map((task) => task.title);
  [out.completed] = await run('task', 'complete', { task_id: tasks[0].id });
  out.deleted = await run('task', 'delete', { task_id: tasks[1].id });
  out.refused = await run('task', 'create', { title: 'x', additionalFields: { due_date: 'soon' } }, { continueOnFail: true });
  const [taken] = await run('message', 'takeIn', { channel: 'whatsapp', payload: { message_id: 'm-1', from: '+5511900000012', body: 'Preciso disso hoje, é urgente' } });
  out.taken = taken;
  const conversation_id = taken.conversation_id;
  out.conversations = (await run('conversation', 'getAll', { limit: 5, additionalFields: { status: 'open' } })).length;
  await run('conversation', 'markRead', { conversation_id });
  [out.tagged] = await run('conversation', 'update', { conversation_id, additionalFields: { tags: '["n8n"]' } });
  await run('message', 'send', { conversation_id, body: 'Sai hoje.' });
  out.claimed = await run('message', 'claim', { additionalFields: { most: 5, lease_seconds: 120 } });
  [out.sent] = await run('message', 'reportOutcome', { message_id: out.claimed[0].id, status: 'sent', additionalFields: { external_id: 'wamid.9' } });
  out.messages = (await run('message', 'getAll', { conversation_id, returnAll: true })).length;
  [out.read] = await run('ai', 'classify', { text: 'Faz por 80?' });
  [out.reply] = await run('ai', 'suggestReply', { additionalFields: { conversation_id } });
  [out.followUp] = await run('ai', 'suggestFollowUp', { conversation_id });
  [out.poll] = await run('event', 'poll', { after: 'beginning', additionalFields: { limit: 3 } });
  out.events = (await run('event', 'getAll', { limit: 2, additionalFields: { type: 'message.received' } })).length;
  const staticData = {};
  const node = context(baseUrl, [{ events: ['task.*'], ordered: true }], { token, webhookUrl, staticData });
  const trigger = new AlfredTrigger();
  const { checkExists, create, delete: forget } = trigger.webhookMethods.default;
  out.trigger = [await checkExists.call(node), await create.call(node), await checkExists.call(node)];
  const secret = staticData.subscriptions[webhookUrl].secret;
  delete staticData.subscriptions;
  out.trigger.push(await checkExists.call(node), staticData.subscriptions[webhookUrl].secret !== secret);
  out.trigger.push(await forget.call(node), await checkExists.call(node));
  out.types = (await trigger.methods.loadOptions.eventTypes.call(node)).length;
  console.log(JSON.stringify(out));
}

main();
