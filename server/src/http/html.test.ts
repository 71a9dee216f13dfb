import assert from 'node:assert/strict'
import { test } from 'node:test'
import { html } from './html.ts'

const hostile = `"><script>alert('1')</script>&amp;`

const rows: readonly [sentence: string, given: { toString(): string }, want: string][] = [
  ['text is escaped', html`<p>${'a < b & c > d'}</p>`, '<p>a &lt; b &amp; c &gt; d</p>'],
  [
    'no text leaves its attribute',
    html`<i title="${hostile}"></i>`,
    '<i title="&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;amp;"></i>',
  ],
  ['markup within markup stays', html`<p>${html`<b>${'<'}</b>`}</p>`, '<p><b>&lt;</b></p>'],
  [
    'a list is joined without commas',
    html`<ul>${['a', '<'].map(each => html`<li>${each}</li>`)}</ul>`,
    '<ul><li>a</li><li>&lt;</li></ul>',
  ],
  ['numbers and nothing', html`${1}${undefined}${false}${0}`, '10'],
]

for (const [sentence, given, want] of rows) test(sentence, () => assert.equal(given.toString(), want))

test('a template waits for nothing', () => {
  const late = Promise.resolve('<b>') as unknown as string
  assert.throws(() => html`<p>${late}</p>`, /something to wait for/)
})
