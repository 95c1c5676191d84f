// The Node child of node_json.cpp. A message is a list of documents, each a string with one
// character per byte. The answer has the result of JSON.parse for each document: its JSON text, or
// null if it is refused.

// Changes a value so that nlohmann's parser can read it. That parser refuses lone surrogates, so
// each of them becomes U+FFFD, as in tine.
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
