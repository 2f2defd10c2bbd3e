'use strict';

// The files of src and of lib stand in layers: none includes itself through others. A .c and its .h
// are one.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

/** Returns the circles of a graph, each as the list of its nodes, from `Map(node -> [node])`. */
function circlesOf(graph) {
  const circles = [];
  const finished = new Set();
  const visit = (node, way) => {
    if (way.includes(node)) circles.push([...way.slice(way.indexOf(node)), node]);
    if (way.includes(node) || finished.has(node)) return;
    for (const next of graph.get(node) ?? []) visit(next, [...way, node]);
    finished.add(node);
  };
  for (const node of graph.keys()) visit(node, []);
  return circles;
}

/** `nodeOf(file)`: the node of a file; `used`: its group 1 matches each file that a file uses. */
function graphOf(folder, ending, used, nodeOf) {
  const graph = new Map();
  const files = fs.readdirSync(folder, { recursive: true }).filter((file) => ending.test(file));
  assert.ok(files.length > 10);
  for (const file of files) {
    const text = fs.readFileSync(path.join(folder, file), 'utf8');
    const node = nodeOf(file);
    const uses = [...text.matchAll(used)].map(([, name]) => nodeOf(path.join(path.dirname(file), name)));
    graph.set(node, [...(graph.get(node) ?? []), ...uses.filter((other) => other !== node)]);
  }
  return graph;
}

test('a circle is found', () => {
  assert.deepEqual(circlesOf(new Map([['a', ['b']], ['b', ['c']], ['c', ['b']]])), [['b', 'c', 'b']]);
  assert.deepEqual(circlesOf(new Map([['a', ['b', 'c']], ['b', ['c']], ['c', []]])), []);
});

test('no circle in src', () => {
  const graph = graphOf(path.join(__dirname, '../src'), /\.[ch]$/, /^#include "(.*)"$/gm, (file) => file.replace(/\.[ch]$/, ''));
  assert.deepEqual(circlesOf(graph), []);
});

test('no circle in lib, and lib/wait uses nothing of the classes above it', () => {
  const graph = graphOf(path.join(__dirname, '../lib'), /\.js$/, /require\('(\.[^']*)'\)/g, path.normalize);
  assert.deepEqual(circlesOf(graph), []);
  const below = new Set(['errors.js', 'native.js', 'options.js', 'option-names.js', 'symbols.js']);
  for (const [file, uses] of graph) {
    if (!file.startsWith('wait/')) continue;
    assert.deepEqual(uses.filter((other) => !other.startsWith('wait/') && !below.has(other)), [], file);
  }
});
