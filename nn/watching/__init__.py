"""What `nn.watch` makes of a training: measures of each layer, sentences, a plot and a page."""
