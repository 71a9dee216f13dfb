// The examples for Node as programs of their own, each on a free port of loopback. Knows no framework.
import { fileURLToPath } from 'node:url'
import type { Service } from './walk.ts'

/** `server`: an expression that imports the file, and has a server of Node's. The program says where that listens. */
export const inNode = (server: string): Service => ({
  command: process.execPath,
  args: [
    '--input-type=module',
    '-e',
    `const server = ${server}
    while (!server.listening) await new Promise(setImmediate)
    console.log('http://127.0.0.1:' + server.address().port)`,
  ],
  cwd: fileURLToPath(new URL('.', import.meta.url)),
  env: { PORT: '0' },
})
