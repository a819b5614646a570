# Stands in for the Vagrantfile in `vagrant validate`: a provider that is not installed counts as usable, so that its
# block is validated all the same. (Vagrant's own --ignore-provider leaves all blocks unread.) Only for scripts/lint, which
# gives it a data directory of its own: to these providers no machine exists.
module AnyProvider
  def initialize(machine) = nil
  def machine_id_changed = nil
  def state = Vagrant::MachineState.new(Vagrant::MachineState::NOT_CREATED_ID, :not_created, :not_created)
end

Vagrant.plugin("2").manager.providers.each do |_, (provider, _)|
  next if provider.usable?(false) # its own folders and capabilities may ask the provider for what a stand-in lacks
  provider.define_singleton_method(:usable?) { |*| true }
  provider.prepend(AnyProvider)
end

load File.expand_path("../Vagrantfile", __dir__)
