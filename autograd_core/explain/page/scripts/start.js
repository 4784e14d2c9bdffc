// Off we go.

show(0);
describe(result);
