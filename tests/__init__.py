import gc

gc.disable()  # nothing that is imported is garbage: looking for it took a third of the collection
