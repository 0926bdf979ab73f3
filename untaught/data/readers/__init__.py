"""Reading by other people's readers: data sets, loaders, frames of tables, streams, shards.

things           which reader a thing of Python's gets
reader           what every reader does: records by number, or one after another
by_number        readers that know their length: lists, torch and Hugging Face data sets
one_by_one       readers that do not: generators, loaders, streamed data sets
tables           frames of pandas and polars
shards           tar files as webdataset writes them
shard_names      which paths and patterns name shards
fields           which of a record's fields is the picture and which the label
decoded_records  a record as frames and a label
class_labels     labels of records as numbers of classes
frame_store      frames kept as they come, in memory or in the cache folder
gathering        every record looked at once, in order
reader_frames    frames that are read from a reader when they are needed
sources          what was gathered as a source
"""
