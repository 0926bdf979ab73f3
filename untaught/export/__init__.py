"""A run taken elsewhere: ONNX files, a folder for the model hub, a page for any browser.

networks         what of a run's model is exported, by capability
extras           packages that only exports need
onnx_files       one file for each network, checked against torch before it appears
hub_folder       weights, settings and a card, as the hub of models lays them out
what_it_saw      what is said of the data that a run saw, without folders of this machine
model_card       the card: what the model is, and what was measured
drawn_map        a plane through the codes of a generator
latent_map       two directions through the features, and further ones
browser_folder   the page that shows them, decoded live
web_runtime      onnxruntime-web, fetched once with a checked digest
"""
