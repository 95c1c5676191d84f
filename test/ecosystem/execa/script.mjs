// A child of C++ that uses execa's functions.
import { getCancelSignal, getEachMessage, getOneMessage, sendMessage } from 'execa';

const signal = await getCancelSignal();
signal.addEventListener('abort', async () => {
  await sendMessage({ cancelled: signal.reason });
  process.disconnect();
});
await sendMessage({ one: await getOneMessage() });
const two = await getOneMessage({ filter: (message) => message !== 'not this' });
await sendMessage({ two }, { strict: true });
for await (const message of getEachMessage()) await sendMessage({ each: message });
