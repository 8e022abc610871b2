// Times layers in one node process, ours and onnxruntime-web in turn. Called by layers_node.py.
//   node layers_node.mjs FOLDER_WITH_LAYERS FOLDER_WITH_NODE_MODULES SECONDS
// FOLDER_WITH_LAYERS/layers.json lists {name, wasm, model, bytes, x, y, shape: {x, y}}; prints a JSON list of
// {name, ours, peer, difference, own}: median milliseconds, and the largest difference of an output.
// A layer that has `own`, another module of ours, is compared with that, by the fastest runs.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [folder, packages, seconds] = process.argv.slice(2);
const ort = createRequire(join(packages, 'index.js'))('onnxruntime-web');
ort.env.wasm.numThreads = 1;

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
const product = (shape) => shape.reduce((a, b) => a * b, 1);

// A layer whose inputs and outputs are float32 in NCHW order on both sides.
function floats(layer, net, session) {
  const data = Float32Array.from({ length: product(layer.shape.x) }, () => 4 * Math.random() - 2);
  const feeds = { [layer.x]: new ort.Tensor('float32', data, layer.shape.x) };
  const view = (at, shape) => new Float32Array(net.memory.buffer, at, product(shape));
  return {
    ours: () => {
      view(net.x_float(), layer.shape.x).set(data);
      net.run_float();
      return view(net.y_float(), layer.shape.y).slice();
    },
    peer: async () => (await session.run(feeds))[layer.y].data,
    difference: (a, b) => a.reduce((most, v, i) => Math.max(most, Math.abs(v - b[i])), 0) / layer.yScale,
  };
}

// A layer in the middle of a network: bytes in, bytes out, each engine in its own order.
function bytes(layer, net, session) {
  const [, channels, height, width] = layer.shape.x;
  const pixels = height * width;
  const data = Uint8Array.from({ length: pixels * channels }, () => 256 * Math.random());
  const feeds = { [layer.x]: new ort.Tensor('uint8', data, layer.shape.x) };
  const x = new Int8Array(net.memory.buffer, net.x(), data.length);
  for (let c = 0; c < channels; c++) for (let p = 0; p < pixels; p++) x[p * channels + c] = data[c * pixels + p] - 128;
  const outputs = layer.shape.y[1];
  return {
    ours: () => {
      net.run_bytes();
      return new Int8Array(net.memory.buffer, net.y(), pixels * outputs);
    },
    peer: async () => (await session.run(feeds))[layer.y].data,
    difference: (a, b) =>
      a.reduce((most, v, i) => Math.max(most, Math.abs(v + 128 - b[(i % outputs) * pixels + Math.floor(i / outputs)])), 0),
  };
}

// Two layers of ours, bytes in and out.
function own(net, other) {
  return { ours: () => net.run_bytes(), peer: async () => other.run_bytes(), difference: () => 0 };
}

const load = async (name) => (await WebAssembly.instantiate(readFileSync(join(folder, name)))).instance.exports;

async function compare(layer) {
  const net = await load(layer.wasm);
  if (layer.own) return { ...(await time(layer, own(net, await load(layer.own)))), own: true };
  const options = { executionProviders: ['wasm'], graphOptimizationLevel: 'all' };
  const session = await ort.InferenceSession.create(join(folder, layer.model), options);
  const result = await time(layer, (layer.bytes ? bytes : floats)(layer, net, session));
  await session.release();
  return { ...result, own: false };
}

async function time(layer, { ours, peer, difference }) {
  const times = { ours: [], peer: [] };
  const timed = async (list, run) => {
    const start = performance.now();
    const result = await run();
    list.push(performance.now() - start);
    return result;
  };
  const worst = difference(ours(), await peer());
  for (let i = 0; i < 15; i++) {
    if (i === 5) await new Promise((resolve) => setTimeout(resolve, 500)); // lets the optimizing compiler finish
    ours();
    await peer();
  }
  const stop = performance.now() + 1000 * seconds;
  while (performance.now() < stop || times.ours.length < 15) {
    await timed(times.ours, ours);
    await timed(times.peer, peer);
  }
  const typical = layer.own ? (values) => Math.min(...values) : median;
  return { name: layer.name, ours: typical(times.ours), peer: typical(times.peer), difference: worst };
}

const results = [];
for (const layer of JSON.parse(readFileSync(join(folder, 'layers.json')))) results.push(await compare(layer));
console.log(JSON.stringify(results));
