// Judges of the Node world: jkurwa (GOST 34.311) and barvinok (Kupyna too). Reads a list of tasks as
// JSON from standard input and writes a list of answers: what the program said, or { error }.

import { readFileSync } from "node:fs";
import gost89 from "gost89";
import jkurwa from "jkurwa";
import * as barvinok from "@ugla/barvinok";
import { algos as barvinokAlgos, hashes, storeload } from "@ugla/barvinok-algos";

const judges = {
  jkurwa: {
    Box: jkurwa.Box,
    Message: jkurwa.models.Message,
    algos: () => gost89.compat.algos(),
    hash: { gost: (data) => gost89.compat.algos().hash(data) },
  },
  barvinok: {
    Box: barvinok.Box,
    Message: barvinok.models.Message,
    algos: barvinokAlgos,
    hash: {
      gost: (data) => Buffer.from(hashes.Gost34311(data)),
      kupyna: (data) => Buffer.from(hashes["Dstu7564-256"](data)),
    },
  },
};

const bytes = (text) => Buffer.from(text, "base64");

function opened(judge, task) {
  const box = new judge.Box({ algo: judge.algos() });
  box.load({
    keyBuffers: [bytes(task.file)],
    certBuffers: (task.certificates ?? []).map(bytes),
    password: task.password,
  });
  return box;
}

const tasks = {
  // Whether a signed message verifies: digest, signature, signing time.
  verify(judge, task) {
    const message = new judge.Message(bytes(task.message));
    return message.verify(judge.hash[task.hash]) === true;
  },
  // The private numbers of a key file, in hexadecimal digits.
  open(judge, task) {
    return opened(judge, task)
      .keys.filter((key) => key.priv)
      .map((key) => String(key.priv.d).match(/[0-9a-f]+(?=>)/)[0]);
  },
  // What a text encrypted with the newest algorithms says (barvinok reads no such PKCS#12 itself).
  decrypt(judge, task) {
    const parameters = {
      format: "PBES2",
      kdf: "Dstu7564mac-256",
      enc: "Dstu7624cbc-256",
      salt: bytes(task.salt),
      iters: task.iterations,
      iv: bytes(task.iv),
      body: bytes(task.body),
    };
    return Buffer.from(storeload(parameters, task.password)).toString("base64");
  },
  // A signed message over the content, made with a key file and its certificate.
  async sign(judge, task) {
    const message = await opened(judge, task).sign(bytes(task.content), null, null, {
      time: task.time,
    });
    return message.as_asn1().toString("base64");
  },
};

const answers = [];
for (const task of JSON.parse(readFileSync(0, "utf8"))) {
  try {
    answers.push(await tasks[task.task](judges[task.judge], task));
  } catch (error) {
    answers.push({ error: String(error) });
  }
}
process.stdout.write(JSON.stringify(answers));
