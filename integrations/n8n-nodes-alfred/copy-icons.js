// The compiler copies no pictures: each node's lies beside it.
const { copyFileSync } = require('node:fs');

for (const node of ['Alfred', 'AlfredTrigger']) copyFileSync('alfred.svg', `dist/nodes/${node}/alfred.svg`);
