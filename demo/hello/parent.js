// The parent of the Hello pair. It runs the child beside this file, or the one given as an argument:
// a .js file, or any program that speaks the protocol of the channel.
const { fork } = require('node:child_process');
const path = require('node:path');

function forkChild(module, answers) {
  const child = path.extname(module) === '.js' ? fork(module) : fork('', { execPath: module });
  child.on('message', (answer) => {
    console.log('[Parent] Answer from child: ', answer);
    if (--answers === 0) child.disconnect();
  });
  return child;
}

console.log('[Parent] initalize');

const module_ = path.resolve(process.argv[2] ?? path.join(__dirname, 'child.js'));

const child1 = forkChild(module_, 2);
child1.send('Hello');
child1.send('Hello');

const child2 = forkChild(module_, 1);
child2.send('Bonjour');
