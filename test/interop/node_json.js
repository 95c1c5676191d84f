// The Node child of node_json.cpp. A message is a list of documents, each a string with a character for
// each byte; the answer has what JSON.parse makes of each: its JSON text, or null if it is refused.

// As nlohmann's parser can read it: it takes no lone surrogates. tine reads each as U+FFFD too.
function wellFormed(value) {
  if (typeof value === 'string') return value.toWellFormed();
  if (value === Infinity || value === -Infinity) return { infinite: value > 0 };
  if (Array.isArray(value)) return value.map(wellFormed);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key.toWellFormed(), wellFormed(member)]));
}

function judge(document) {
  let value;
  try {
    value = JSON.parse(Buffer.from(document, 'latin1').toString('utf8'));
  } catch {
    return null;
  }
  return JSON.stringify(wellFormed(value));
}

process.on('message', (documents) => process.send(documents.map(judge)));
