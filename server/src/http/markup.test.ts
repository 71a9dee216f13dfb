import assert from 'node:assert/strict'
import { test } from 'node:test'
import { markup, nothing } from './markup.ts'

const hostile = `"><script>alert('1')</script>&amp;`

const rows: readonly [string, string, string][] = [
  ['text is escaped', markup`<p>${'a < b & c > d'}</p>`.markup, '<p>a &lt; b &amp; c &gt; d</p>'],
  [
    'no text leaves its attribute',
    markup`<i title="${hostile}"></i>`.markup,
    '<i title="&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;amp;"></i>',
  ],
  ['markup within markup stays', markup`<p>${markup`<b>${'<'}</b>`}</p>`.markup, '<p><b>&lt;</b></p>'],
  [
    'a list is joined without commas',
    markup`<ul>${['a', '<'].map(each => markup`<li>${each}</li>`)}</ul>`.markup,
    '<ul><li>a</li><li>&lt;</li></ul>',
  ],
  ['numbers and nothing', markup`${1}${nothing}${0}`.markup, '10'],
]

for (const [sentence, given, want] of rows) test(sentence, () => assert.equal(given, want))
