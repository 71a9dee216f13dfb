// `npm run simulate`: how often each rule signs out somebody who did nothing, and how long a thief keeps access. Prints
// the tables; `--keep` writes proof/simulation.json and the picture of the manual.
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { readOptions, type Wanted } from './options.ts'
import { drawSimulation } from './picture.ts'
import { liveInParallel } from './pool.ts'
import { inOneLine, printSimulation } from './print.ts'
import { type RuleResult, resultOf, summarize } from './result.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

const { stderr } = process
const clear = '\r\u001b[K'

/** A bar on a terminal; elsewhere the rules' lines are enough. */
function drawBar(share: number): void {
  if (!stderr.isTTY) return
  const width = 40
  const full = Math.floor(share * width)
  stderr.write(`${clear}${'█'.repeat(full)}${'░'.repeat(width - full)} ${Math.floor(share * 100)} %`)
}

async function simulate({ browsers, seed, rules, keep }: Wanted): Promise<void> {
  const found: RuleResult[] = []
  drawBar(0)
  await liveInParallel(rules, seed, browsers, {
    onProgress: (lived, all) => drawBar(lived / all),
    onRule(rule, crowd) {
      const result = summarize(rule, crowd)
      found.push(result)
      stderr.write(`${stderr.isTTY ? clear : ''}${inOneLine(result)}\n`)
    },
  })
  if (stderr.isTTY) stderr.write(clear)
  const result = resultOf(seed, browsers, found)
  process.stdout.write(printSimulation(result))
  if (!keep) return
  await writeFile(here('../simulation.json'), `${JSON.stringify(result, null, 2)}\n`)
  await writeFile(here('../../docs/pictures/simulation.svg'), drawSimulation(result))
}

const wanted = readOptions(process.argv.slice(2))
if ('wrong' in wanted) {
  stderr.write(`${wanted.wrong.join('\n')}\n`)
  process.exitCode = 2
} else {
  await simulate(wanted)
}
