#!/usr/bin/env node
// The door to the command line: plain JavaScript, so that an older Node can still say what is missing.
import module from 'node:module'
import { fileURLToPath } from 'node:url'

const needed = 24

if (Number(process.versions.node.split('.')[0]) < needed) {
  process.stderr.write(
    `rusk needs Node ${needed} or newer; this is ${process.version}. In a checkout, "npx rusk" and "npm start" bring their own.\n`,
  )
  process.exitCode = 1
} else {
  // Compiled code and stripped types are kept beside the code, never in a folder that others may write to.
  module.enableCompileCache?.(fileURLToPath(new URL('../node_modules/.cache/compile', import.meta.url)))
  // A server is more often killed than ended: what was compiled is kept as soon as it has started.
  setTimeout(() => module.flushCompileCache?.(), 1500).unref()
  // Whoever reads us may go early: rusk users list | head
  process.stdout.on('error', error => process.exit(error.code === 'EPIPE' ? 0 : 1))
  import('#cli')
    .then(({ runCli }) => runCli(process.argv.slice(2)))
    .then(code => {
      process.exitCode = code
    })
}
