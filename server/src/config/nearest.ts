// Guesses what somebody meant to write. Decides nothing: the guess is only ever shown.

/** Edits (insert, drop, replace) that lead from one text to the other. */
function distance(from: string, to: string): number {
  let above = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (const [row, letter] of [...from].entries()) {
    const line = [row + 1]
    for (let column = 1; column <= to.length; column++) {
      const replaced = (above[column - 1] ?? 0) + (letter === to[column - 1] ? 0 : 1)
      line.push(Math.min(replaced, (above[column] ?? 0) + 1, (line[column - 1] ?? 0) + 1))
    }
    above = line
  }
  return above[to.length] ?? 0
}

/** The known name that is at most a quarter of its letters (three at most) away; undefined: nothing is near. */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  const near = [...known]
    .map(each => ({ each, edits: distance(name.toLowerCase(), each.toLowerCase()) }))
    .filter(({ each, edits }) => edits <= Math.min(3, Math.ceil(each.length / 4)))
    .sort((a, b) => a.edits - b.edits)
  return near[0]?.each
}
